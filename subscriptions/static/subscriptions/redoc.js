// Shows the OpenAPI document with Redoc, in the site's font and colours.
"use strict";

// Redoc loads its maker's logo from another server, which need not learn who reads this. (React
// sets an image's address in both ways.)
const image = HTMLImageElement.prototype;
const { get, set } = Object.getOwnPropertyDescriptor(image, "src");
const here = (address) => new URL(address, location).origin === location.origin;
Object.defineProperty(image, "src", {
  get,
  set(address) {
    if (here(address)) set.call(this, address);
  },
});
image.setAttribute = function (name, value) {
  if (name !== "src" || here(value)) Element.prototype.setAttribute.call(this, name, value);
};

const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue(`--${name}`).trim();
const font = getComputedStyle(document.body).fontFamily;
const theme = {
  colors: {
    primary: { main: colour("accent") },
    success: { main: colour("good") },
    error: { main: colour("bad") },
    text: { primary: colour("text"), secondary: colour("quiet") },
    border: { dark: colour("line"), light: colour("line") },
    http: { get: colour("accent") },
    responses: {
      success: { color: colour("good"), backgroundColor: colour("good-ground") },
      error: { color: colour("bad"), backgroundColor: colour("bad-ground") },
      redirect: { color: colour("quiet"), backgroundColor: colour("panel") },
    },
  },
  schema: { nestedBackground: colour("ground"), linesColor: colour("line"), typeNameColor: colour("quiet") },
  sidebar: { backgroundColor: colour("panel"), textColor: colour("text"), activeTextColor: colour("accent") },
  rightPanel: { backgroundColor: "#11201f" },
  codeBlock: { backgroundColor: "#0a1413" },
  spacing: { sectionVertical: 20 },
  typography: {
    fontFamily: font,
    fontSize: "15px",
    headings: { fontFamily: font, fontWeight: "600" },
    code: { fontFamily: colour("mono"), color: colour("accent"), backgroundColor: colour("accent-ground") },
    links: { color: colour("accent") },
  },
};

const reference = document.getElementById("reference");
Redoc.init(reference.dataset.document, { disableSearch: true, hideDownloadButtons: true, theme }, reference);
// The theme is of the colours that the page began with.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
