// Signing out in one tab locks the browser's other tabs at once; what a session may do, the server decides.
window.addEventListener("storage", (event) => {
  if (event.key === "callsheet-signed-out") window.location.assign("/sign-in");
});
