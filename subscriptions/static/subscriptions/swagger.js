// Shows the OpenAPI document with Swagger UI, in the browser's colours, light or dark.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: document.getElementById("reference").dataset.document,
  dom_id: "#reference",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null, // the default sends the address of every public document to another server
});

// Each field of the dialog for credentials takes the focus when it appears, so that it would open
// scrolled to the last one.
document.addEventListener("click", (event) => {
  if (event.target.closest(".btn.authorize, .authorization__btn")) {
    setTimeout(() => {
      document.querySelector(".modal-ux input")?.focus();
      document.querySelector(".modal-ux-content")?.scrollTo(0, 0);
    });
  }
});
