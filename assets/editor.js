// The boxes of a campaign's settings. The form's `data-sheet` says what stands in each and in which version; here it is
// put in, what is typed is handed back with the version it was typed over, and what is being typed is left alone.
(() => {
  const PAUSE_MS = 800;
  const LONGEST_MS = 4000; // typing without a pause is saved this often
  const PATIENCE_MS = 8000;
  const BOXES = "input[name]:not([type=radio]), select[name], textarea[name]";
  const known = new WeakMap(); // box -> {shown, version}: what it was given last
  let form = null;
  let sheet = null;
  let drawn = "";
  let timer = 0;
  let typedSince = 0;
  const noMessage = () => ({ id: "", at: 0, since: 0, typed: "{}" });
  let message = noMessage(); // the last one sent; `since`: when the first was that still waits for an answer
  let leaving = null; // the link that is asked about, with its dialog

  const valueOf = (box) => (box.type === "checkbox" ? (box.checked ? "on" : "") : box.value);
  const put = (box, text) => {
    if (box.type === "checkbox") box.checked = text === "on";
    else box.value = text;
  };
  // The text within a box of several lines, for whatever reads the page; React empties it whenever it draws the box.
  const writeInto = (box, text) => {
    if (box.type === "textarea" && box.defaultValue !== text) box.defaultValue = text;
  };
  const remember = (box, shown, version) => {
    writeInto(box, shown);
    known.set(box, { shown, version });
  };
  const isTypedIn = (box) => document.activeElement === box && !box.matches("select, [type=checkbox]");
  const boxes = () =>
    form ? [...form.querySelectorAll(BOXES)].filter(({ name }) => sheet.settings.includes(name.split(".")[0])) : [];
  const unsaved = () => boxes().filter((box) => known.has(box) && valueOf(box) !== known.get(box).shown);
  const typed = () => Object.fromEntries(unsaved().map((box) => [box.name, valueOf(box)]));
  const isWaiting = () => message.id !== "" && sheet !== null && sheet.answered !== message.id;

  const give = (box) => {
    const text = sheet.values[box.name] ?? "";
    const version = sheet.versions[box.name] ?? 0;
    const before = known.get(box);
    if (!before || sheet.forced[box.name] === version) {
      if (before && before.version >= version) return;
      put(box, text);
      remember(box, valueOf(box), version);
      return;
    }
    writeInto(box, before.shown);
    if (version <= before.version) return;
    const now = valueOf(box);
    const taken = sheet.taken[box.name];
    let { shown } = before;
    if (taken === undefined) {
      // Changed elsewhere: what is being typed here stays, and is compared when it is sent.
      if (now !== shown || isTypedIn(box)) return;
      put(box, text);
      shown = valueOf(box);
    } else if (now !== taken) shown = taken; // saved, and typed on since
    else {
      if (!isTypedIn(box)) put(box, text);
      shown = valueOf(box);
    }
    remember(box, shown, version);
  };

  const clock = (iso) => {
    const at = new Date(iso);
    const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    const isToday = at.toDateString() === new Date().toDateString();
    return isToday ? time : `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
  };
  const state = ({ lost, unsaved: why, at }) => {
    const open = sheet !== null && (isWaiting() || unsaved().length > 0);
    if (lost === "true")
      return ["bad", open ? "Not saved: the connection is lost. Trying again…" : "The connection is lost. Trying again…"];
    if (isWaiting() && Date.now() - message.since > PATIENCE_MS)
      return ["bad", why || "Not saved: no answer yet. Trying again…"];
    if (isWaiting() || (open && JSON.stringify(typed()) !== message.typed)) return ["busy", "Saving…"];
    if (open || why) return ["bad", why || "Not saved."];
    return at ? ["good", `Saved ${clock(at)}`] : ["good", ""];
  };
  const tell = () => {
    for (const place of document.querySelectorAll("[data-save-state]")) {
      const [tone, words] = state(place.dataset);
      if (place.dataset.saveState !== tone) place.dataset.saveState = tone;
      if (place.textContent !== words) place.textContent = words;
      leaving?.follow(tone, words);
    }
  };
  // What was taken is no longer part of what was sent and refused.
  const settle = () => {
    if (!sheet || isWaiting()) return;
    const sent = JSON.parse(message.typed);
    for (const box of boxes()) if (known.get(box)?.shown === sent[box.name]) delete sent[box.name];
    message.typed = JSON.stringify(sent);
  };

  // What Reflex calls when it sends the form, by whichever of its buttons.
  window.callsheetTyped = () => {
    if (!sheet) return {};
    const texts = typed();
    const read = Object.fromEntries(unsaved().map((box) => [box.name, known.get(box).version]));
    const at = Date.now();
    const since = isWaiting() ? message.since : at;
    message = { id: `${at}-${Math.random()}`, at, since, typed: JSON.stringify(texts) };
    setTimeout(tell);
    return { ...texts, read, save: message.id, campaign: sheet.campaign };
  };
  const save = () => {
    clearTimeout(timer);
    typedSince = 0;
    if (form && JSON.stringify(typed()) !== message.typed) form.querySelector("[data-save]")?.click();
  };
  const saveAgain = () => {
    const isRefused = Boolean(document.querySelector("[data-save-state]")?.dataset.unsaved);
    if (form && isWaiting() && !isRefused && Date.now() - message.at > PATIENCE_MS) {
      message.typed = "";
      save();
    }
    tell();
  };

  const look = () => {
    const found = document.querySelector("form[data-sheet]");
    if (!found) {
      if (form && location.pathname === formPlace) tellLost();
      form = sheet = null;
      drawn = "";
    } else if (found !== form || found.dataset.sheet !== drawn) {
      if (found !== form) message = noMessage();
      form = found;
      formPlace = location.pathname;
      drawn = found.dataset.sheet;
      sheet = JSON.parse(drawn);
    }
    boxes().forEach(give);
    settle();
    const [status] = document.querySelectorAll("[data-save-state]");
    if (sheet && !isWaiting() && !status?.dataset.unsaved && unsaved().length === 0) message.typed = "{}";
    tell();
    leadToHeading();
  };

  // A step begins at its heading, for the keyboard and for screen readers.
  let place = location.pathname;
  let awaited = null;
  const leadToHeading = () => {
    if (location.pathname !== place) {
      place = location.pathname;
      awaited = /\/edit\/(\w+)\/?$/.exec(place)?.[1] ?? null;
    }
    if (!awaited || !document.querySelector(`[data-step="${awaited}"]`)) return;
    const heading = document.querySelector("main h1");
    if (!heading || document.activeElement === heading) return;
    heading.tabIndex = -1;
    heading.focus();
  };
  for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => (awaited = null), true);

  const isBox = (target) => form?.contains(target) && target.matches(BOXES) && known.has(target);
  addEventListener("input", ({ target }) => {
    if (!isBox(target)) return;
    clearTimeout(timer);
    typedSince ||= Date.now();
    timer = setTimeout(save, Math.max(0, Math.min(PAUSE_MS, typedSince + LONGEST_MS - Date.now())));
    tell();
  });
  addEventListener("change", ({ target }) => {
    if (isBox(target) && target.matches("select, [type=checkbox]")) save();
  });
  addEventListener("focusout", ({ target }) => {
    if (!isBox(target)) return;
    save();
    setTimeout(look);
  });
  addEventListener("popstate", save);
  // A page that is being left has no line any more.
  let isLeft = false;
  addEventListener("pagehide", () => (isLeft = true));
  addEventListener("pageshow", () => (isLeft = false));
  document.addEventListener("visibilitychange", () => document.hidden && !isLeft && save());
  setInterval(saveAgain, 1000);

  // Leaving: what is typed is saved first. If it cannot be, somebody decides.
  const isOpen = () => sheet !== null && (isWaiting() || unsaved().length > 0);
  addEventListener("beforeunload", (event) => {
    if (!isOpen()) return;
    save(); // on its way even if the person leaves
    event.preventDefault();
  });
  let following = null;
  addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("a[href]");
      const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
      if (!link || link === following || link.target === "_blank" || !isPlain || !isOpen()) return;
      if (link.getAttribute("href").startsWith("#")) return;
      event.preventDefault();
      event.stopPropagation();
      save();
      leaveWhenSaved(link, Date.now());
    },
    true,
  );
  const leaveWhenSaved = (link, since) => {
    if (isWaiting() && Date.now() - since < 3000) {
      setTimeout(() => leaveWhenSaved(link, since), 30);
    } else if (isOpen()) ask(link);
    else follow(link);
  };
  const follow = (link) => {
    following = link;
    if (link.isConnected) link.click();
    else location.assign(link.href); // it was drawn anew meanwhile
    following = null;
  };
  const show = (title, content) => {
    const dialog = document.createElement("dialog");
    dialog.className = "cs-leave";
    dialog.setAttribute("aria-labelledby", "cs-leave-title");
    dialog.innerHTML = `<h2 id="cs-leave-title"></h2>${content}`;
    dialog.querySelector("h2").textContent = title;
    (document.querySelector(".radix-themes") ?? document.body).append(dialog);
    dialog.showModal();
    return dialog;
  };
  const ask = (link) => {
    const dialog = show(
      "Leave without saving?",
      `<p></p><div><button value="stay">Stay here</button><button value="leave">Leave without it</button></div>`,
    );
    const [stay, leave] = dialog.querySelectorAll("button");
    stay.onclick = () => dialog.close();
    leave.onclick = () => {
      dialog.close();
      follow(link);
    };
    dialog.onclose = () => {
      leaving = null;
      dialog.remove();
    };
    leaving = {
      follow: (tone, words) => {
        const text = tone === "busy" ? "What you typed is not saved yet." : words;
        const told = dialog.querySelector("p");
        if (told.textContent !== text) told.textContent = text; // a change is looked at again
        if (!isOpen()) leave.click();
      },
    };
    tell();
  };

  // The boxes went away, since the campaign cannot be edited any more: what was not saved is shown once, to be copied.
  let formPlace = "";
  const tellLost = () => {
    const lost = unsaved().filter((box) => box.type !== "checkbox");
    if (lost.length === 0) return;
    const dialog = show("Not saved", `<p>This campaign cannot be edited now. You had typed:</p><dl></dl>
      <div><button>Close</button></div>`);
    for (const box of lost) {
      const [term, text] = ["dt", "dd"].map((name) => document.createElement(name));
      term.textContent = form.querySelector(`label[for="${CSS.escape(box.id)}"]`)?.textContent ?? box.name;
      text.textContent = valueOf(box);
      dialog.querySelector("dl").append(term, text);
    }
    dialog.querySelector("button").onclick = () => dialog.close();
    dialog.onclose = () => dialog.remove();
  };

  new MutationObserver(look).observe(document.documentElement, {
    attributeFilter: ["data-sheet", "data-at", "data-lost", "data-unsaved"],
    childList: true,
    subtree: true,
  });
})();
