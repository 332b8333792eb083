// Draws the OpenAPI document named by data-api-docs with Swagger UI. The session cookie serves reading; writing needs a token.
const place = document.querySelector("[data-api-docs]");
window.SwaggerUIBundle({
  url: place.dataset.apiDocs,
  domNode: place,
  deepLinking: false, // its links would be focusable inside the buttons that open an operation
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
