// The editor of the invitation, and the dialog around it. Without this file the text is HTML in a plain field, which sends as well.

const body = document.getElementById("body");
const dialog = document.getElementById("invitation");
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const folder = body.dataset.editor;
const narrow = innerWidth < 700;
const tools = [
  "undo redo | bold italic underline strikethrough | alignleft aligncenter alignright alignjustify | bullist numlist outdent indent",
  "blocks fontfamily fontsize | forecolor backcolor | link image table | placeholders removeformat",
];
const languages = { de: "de", es: "es", fr: "fr-FR" };
const language = languages[document.documentElement.lang];

if (dialog.showModal) {
  dialog.close();
  dialog.showModal();
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    location.assign(dialog.dataset.back);
  });
}

tinymce.init({
  target: body,
  license_key: "gpl",
  base_url: folder,
  suffix: ".min",
  ui_mode: "split",
  promotion: false,
  branding: false,
  language,
  skin: dark ? "oxide-dark" : "oxide",
  content_css: dark ? "dark" : "default",
  height: 420,
  iframe_attrs: { title: document.querySelector("label[for=body]").textContent },
  browser_spellcheck: true,
  convert_urls: false,
  entity_encoding: "raw",
  plugins: "advlist autolink charmap code image link lists searchreplace table wordcount",
  menubar: "file edit view insert format tools table",
  menu: {
    file: { title: "File", items: "newdocument restoredefault" },
    edit: { title: "Edit", items: "undo redo | cut copy paste pastetext | selectall | searchreplace" },
    view: { title: "View", items: "code" },
    insert: { title: "Insert", items: "placeholders | image link inserttable | charmap hr" },
    format: { title: "Format", items: "bold italic underline strikethrough superscript subscript | blocks fontfamily fontsize align lineheight | forecolor backcolor | removeformat" },
    tools: { title: "Tools", items: "code wordcount" },
    table: { title: "Table", items: "inserttable | cell row column | advtablesort | tableprops deletetable" },
  },
  toolbar: narrow ? tools.join(" | ") : tools,
  toolbar_mode: narrow ? "scrolling" : "wrap",
  font_size_formats: "8pt 9pt 10pt 11pt 12pt 14pt 18pt 24pt 36pt",
  font_family_formats: "Arial=arial,helvetica,sans-serif;Courier New=courier new,courier,monospace;Georgia=georgia,serif;Tahoma=tahoma,sans-serif;Times New Roman=times new roman,times,serif;Verdana=verdana,geneva,sans-serif",
  setup(editor) {
    const places = body.dataset.placeholders.split(" ").map((name) => ({
      type: "menuitem",
      text: `{${name}}`,
      onAction: () => editor.insertContent(`{${name}}`),
    }));
    editor.ui.registry.addMenuButton("placeholders", { text: "{…}", tooltip: body.dataset.placeholdersLabel, fetch: (done) => done(places) });
    editor.ui.registry.addNestedMenuItem("placeholders", { text: body.dataset.placeholdersLabel, getSubmenuItems: () => places });
    editor.ui.registry.addMenuItem("restoredefault", {
      text: body.dataset.restoreLabel,
      onAction: () => editor.setContent(body.dataset.default),
    });
    editor.on("change input undo redo", () => show(editor.getContent()));
    editor.on("init", () => show(editor.getContent()));
  },
});

// The preview: what the server makes of the text, half a second after the last key.
const frame = document.getElementById("preview");
let waiting;
function show(text) {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const form = new FormData(body.form);
    form.set("body", text);
    const answer = await fetch(frame.dataset.address, { method: "POST", body: new URLSearchParams(form) });
    if (answer.ok) frame.srcdoc = await answer.text();
  }, 500);
}
document.getElementById("subject").addEventListener("input", () => show(tinymce.get("body") ? tinymce.get("body").getContent() : body.value));
