// What the pages do better with script than without: copy buttons, menus that close, a warning about unsaved changes.
// Every page works without this file.

for (const button of document.querySelectorAll("button.copy")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    let said = button.dataset.done;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      said = button.dataset.failed;
    }
    button.textContent = said;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

for (const field of document.querySelectorAll("input[readonly]")) {
  field.addEventListener("focus", () => field.select());
}

// The tab chosen last is the one that the links to its page open.
for (const tabs of document.querySelectorAll("[data-remember]")) {
  if (new URLSearchParams(location.search).has("tab")) sessionStorage.setItem(tabs.dataset.remember, tabs.dataset.chosen);
}
for (const link of document.querySelectorAll(".side a")) {
  const tab = sessionStorage.getItem(link.getAttribute("href"));
  if (tab) link.href = `${link.getAttribute("href")}?tab=${encodeURIComponent(tab)}`;
}

const menus = document.querySelectorAll("details.menu");
document.addEventListener("click", (event) => {
  for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus) {
    if (menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
});

for (const form of document.querySelectorAll("form[data-unsaved]")) {
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const before = state();
  const note = document.getElementById("unsaved");
  let sending = false;
  form.addEventListener("submit", () => { sending = true; });
  form.addEventListener("input", () => {
    if (note) note.textContent = state() === before ? "" : form.dataset.unsaved;
  });
  addEventListener("beforeunload", (event) => {
    if (!sending && state() !== before) event.preventDefault();
  });
}

for (const form of document.querySelectorAll("form[data-sure]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.sure)) event.preventDefault();
  });
}

for (const button of document.querySelectorAll("[data-opens]")) {
  const dialog = document.getElementById(button.dataset.opens);
  if (!dialog || !dialog.showModal) continue;
  button.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
}
for (const button of document.querySelectorAll("dialog [data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
