/* Runs before the first paint: a chosen theme must not flash the other one, nor a button that needs a script appear late. */
(function () {
  document.documentElement.dataset.js = "";
  try {
    var chosen = localStorage.getItem("vabhub-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (_) { /* storage may be forbidden: the system's theme stays */ }
})();
