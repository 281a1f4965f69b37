// A duplicated tab starts with a copy of the other's session storage, and with it of the token under which the server
// keeps what a tab shows. Each tab needs its own: a page that finds the mark of one still open is such a copy.
const OPEN = "callsheet-tab-is-open";
if (sessionStorage.getItem(OPEN)) sessionStorage.removeItem("token");
sessionStorage.setItem(OPEN, "yes");
addEventListener("pageshow", () => sessionStorage.setItem(OPEN, "yes"));
addEventListener("pagehide", () => sessionStorage.removeItem(OPEN));
