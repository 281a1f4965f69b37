// An error is shown at the box it is about. Where the page does not show that box just now, the banner of its form
// (`unboxed_errors`) names it instead: it brings all errors of the form with it, and those without a box are listed here.
(() => {
  // A box that is folded away counts: the way to the first error unfolds it.
  const isShown = (error) =>
    error.textContent !== "" && (error.closest("details:not([open])") !== null || error.checkVisibility());
  const boxed = () => {
    const errors = [...document.querySelectorAll("[data-error-of]")].filter(isShown);
    return new Set(errors.flatMap((error) => error.dataset.errorOf.split("\n")));
  };
  const entry = ({ setting, reason }) => {
    const line = document.createElement("li");
    line.textContent = `${setting}: ${reason}`;
    return line;
  };
  const list = () => {
    const banners = [...document.querySelectorAll("[data-problems]")];
    const known = banners.some((banner) => banner.dataset.problems !== "[]") ? boxed() : new Set();
    for (const banner of banners) {
      const lines = JSON.parse(banner.dataset.problems).filter(({ key }) => !known.has(key)).map(entry);
      const place = banner.querySelector("ul");
      // Only what is new is written: writing is a change that calls this again.
      if (place.innerHTML !== lines.map((line) => line.outerHTML).join("")) place.replaceChildren(...lines);
    }
  };
  new MutationObserver(list).observe(document.documentElement, {
    attributeFilter: ["data-problems"],
    characterData: true,
    childList: true,
    subtree: true,
  });
})();
