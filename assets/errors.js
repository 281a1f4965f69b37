// An error is shown at the box it is about. Where the page does not show that box just now, the form's banner
// (`unboxed_errors`) shows it instead: here each error of a banner is marked while a box shows it.
(() => {
  // A box that is folded away counts: the way to the first error unfolds it.
  const isShown = (error) =>
    error.textContent !== "" && (error.closest("details:not([open])") !== null || error.checkVisibility());
  const mark = () => {
    const problems = document.querySelectorAll("[data-problem-of]");
    if (problems.length === 0) return;
    const errors = [...document.querySelectorAll("[data-error-of]")].filter(isShown);
    const boxed = new Set(errors.flatMap((error) => error.dataset.errorOf.split("\n")));
    problems.forEach((problem) => problem.toggleAttribute("data-boxed", boxed.has(problem.dataset.problemOf)));
  };
  new MutationObserver(mark).observe(document.documentElement, {
    characterData: true,
    childList: true,
    subtree: true,
  });
})();
