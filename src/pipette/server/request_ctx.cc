#include "pipette/server/request_ctx.h"

#include "pipette/base/ascii.h"
#include "pipette/http/args.h"
#include "pipette/http/status.h"
#include "pipette/http/uri.h"
#include "pipette/server/exchange.h"

namespace pipette::server {
namespace {

// Memory of a body larger than this is given back after its exchange.
constexpr std::size_t kMaxKeptBodyBytes = 64 * 1024;

void clear_keeping_some(std::string& text) {
  if (text.capacity() > kMaxKeptBodyBytes) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

bool lists_close(std::string_view options) {
  http::OwnedFields fields;
  return fields.set("Connection", options) && http::connection_options(fields.view()).close;
}

// Fields that have a place of their own in the response: true when `name` is one and has been dealt with.
Result<bool> set_special(ResponseParts& response, std::string_view name, std::string_view value) {
  switch (http::intern(name)) {
    case http::FieldName::content_length:
    case http::FieldName::transfer_encoding:
      return fail(Errc::managed_field);
    case http::FieldName::connection:
      if (!lists_close(value)) return fail(Errc::managed_field);
      response.close = true;
      return true;
    case http::FieldName::content_type:
      if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
      response.content_type = ascii::trim(value);
      return true;
    default:
      return false;
  }
}

}  // namespace

void ResponseParts::clear() {
  status = 200;
  content_type.clear();
  fields.clear();
  clear_keeping_some(body);
  trailers.clear();
  source.reset();
  stream_length = http::KnownLength();
  close = false;
}

void Exchange::begin() {
  parser.reset();
  head.method = http::Method::get;
  head.is_http_1_0 = false;
  head_bytes = inline_body_bytes = 0;
  body = {};
  clear_keeping_some(body_storage);
  body_reader.reset();
  decoded_path.clear();
  response.clear();
  stop.reset();
  has_given_up = false;
  late_answer.status = 503;
  late_answer.message.clear();
  thrown.reset();
  hijack.reset();
}

http::Method RequestCtx::method() const { return exchange_.head.method; }
std::string_view RequestCtx::method_text() const { return exchange_.head.method_text; }
std::string_view RequestCtx::target() const { return exchange_.head.target; }
std::string_view RequestCtx::path_original() const { return exchange_.head.path; }
std::string_view RequestCtx::query() const { return exchange_.head.query; }
std::string_view RequestCtx::host() const { return exchange_.head.authority; }
const http::Fields& RequestCtx::headers() const { return exchange_.head.fields; }
std::string_view RequestCtx::body() const { return exchange_.body; }

std::string_view RequestCtx::path() const {
  if (http::is_plain_path(exchange_.head.path)) return exchange_.head.path;
  if (exchange_.decoded_path.empty() && !http::append_path(exchange_.head.path, exchange_.decoded_path)) return {};
  return exchange_.decoded_path;
}

std::optional<std::string> RequestCtx::query(std::string_view name) const {
  return http::query_value(exchange_.head.query, name);
}

std::optional<std::string_view> RequestCtx::header(std::string_view name) const {
  return exchange_.head.fields.get(name);
}

std::optional<std::string_view> RequestCtx::header(http::FieldName name) const {
  return exchange_.head.fields.get(name);
}

int RequestCtx::status() const { return exchange_.response.status; }

void RequestCtx::set_status(int status) {
  const bool can_be_final = status >= 200 && status <= 599;
  exchange_.response.status = can_be_final ? status : 500;
}

Result<void> RequestCtx::set_header(std::string_view name, std::string_view value) {
  const Result<bool> special = set_special(exchange_.response, name, value);
  if (!special) return fail(special.error());
  return *special ? Result<void>() : exchange_.response.fields.set(name, value);
}

Result<void> RequestCtx::add_header(std::string_view name, std::string_view value) {
  const Result<bool> special = set_special(exchange_.response, name, value);
  if (!special) return fail(special.error());
  return *special ? Result<void>() : exchange_.response.fields.add(name, value);
}

void RequestCtx::remove_header(std::string_view name) {
  if (http::intern(name) == http::FieldName::content_type) exchange_.response.content_type.clear();
  exchange_.response.fields.remove(name);
}

Result<void> RequestCtx::set_content_type(std::string_view type) {
  if (!ascii::is_value(type)) return fail(Errc::bad_field_value);
  exchange_.response.content_type = ascii::trim(type);
  return {};
}

void RequestCtx::set_body(std::string_view body) { exchange_.response.body = body; }
void RequestCtx::append_body(std::string_view more) { exchange_.response.body += more; }

Result<void> RequestCtx::redirect(std::string_view location, int status) {
  const Result<void> set = exchange_.response.fields.set("Location", location);
  if (!set) return set;
  exchange_.response.status = http::is_redirect(status) ? status : 302;
  exchange_.response.body.clear();
  return {};
}

void RequestCtx::error(int status, std::string_view message) {
  const bool close = exchange_.response.close;
  exchange_.response.clear();
  exchange_.response.close = close;
  set_status(status);
  set_body(message);
}

void RequestCtx::set_connection_close() { exchange_.response.close = true; }

const net::Address& RequestCtx::remote_address() const { return exchange_.ends->remote; }
const net::Address& RequestCtx::local_address() const { return exchange_.ends->local; }
Runtime& RequestCtx::runtime() const { return *exchange_.runtime; }
TimePoint RequestCtx::now() const { return exchange_.runtime->loop().now(); }

}  // namespace pipette::server
