// A dialog gives the focus back to what opened it. Radix does so for a dialog with a trigger of its own; ours are
// opened by handlers, and without this the keyboard would begin again at the top of the page.
(() => {
  const layers = "[role=dialog], [role=alertdialog], [role=menu], [role=listbox]";
  let opener = null;
  document.addEventListener("focusin", ({ target }) => {
    if (!target.closest(layers)) opener = target;
  });
  const giveBack = () => {
    const isLost = document.activeElement === document.body || document.activeElement === null;
    if (isLost && opener?.isConnected && !document.querySelector(layers)) opener.focus();
  };
  const closes = (node) => node.nodeType === 1 && (node.matches(layers) || node.querySelector(layers));
  new MutationObserver((changes) => {
    // After Radix has had its turn, which it takes in a task of its own.
    if (changes.some((change) => [...change.removedNodes].some(closes))) setTimeout(giveBack, 50);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
