#include "reference.h"

using pipette::http::FieldName;

namespace {

void list_headers(pipette::RequestCtx& ctx) {
  for (std::size_t i = 0; i < ctx.headers().size(); ++i) {
    const pipette::http::Field field = ctx.headers()[i];
    ctx.append_body(field.name);
    ctx.append_body(": ");
    ctx.append_body(field.value);
    ctx.append_body("\n");
  }
}

}  // namespace

void reference(pipette::RequestCtx& ctx) {
  const bool reads = ctx.is_get() || ctx.is_head();
  if (reads && ctx.path() == "/") {
    ctx.set_body("OK\n");
  } else if (ctx.is_post() && ctx.path() == "/echo") {
    ctx.set_body(ctx.body());
    // Parsed already, so it can be sent.
    (void)ctx.set_content_type(ctx.header(FieldName::content_type).value_or("application/octet-stream"));
  } else if (reads && ctx.path() == "/headers") {
    list_headers(ctx);
  } else {
    ctx.error(404, "not found\n");
  }
}
