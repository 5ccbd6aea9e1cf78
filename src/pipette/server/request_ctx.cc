#include "pipette/server/request_ctx.h"

#include <vector>

#include "pipette/base/ascii.h"
#include "pipette/http/date.h"
#include "pipette/http/head.h"
#include "pipette/http/media_type.h"
#include "pipette/http/multipart.h"
#include "pipette/http/status.h"
#include "pipette/http/vary.h"
#include "pipette/server/buffer_pool.h"
#include "pipette/server/exchange.h"
#include "pipette/server/server.h"

namespace pipette::server {
namespace {

using http::FieldName;

// Memory of a body larger than this, and of what was parsed from one, is given back after its exchange.
constexpr std::size_t kMaxKeptBodyBytes = 64 * 1024;

void clear_keeping_some(std::string& text) {
  text.clear();
  if (text.capacity() > kMaxKeptBodyBytes) [[unlikely]]
    text.shrink_to_fit();
}

// Into the memory that is there, mostly. `from` may be a part of `to`.
void assign(std::string& to, std::string_view from) {
  if (from.size() > to.capacity()) {
    to = from;
    return;
  }
  to.resize_and_overwrite(from.size(), [from](char* at, std::size_t size) {
    std::string::traits_type::move(at, from.data(), size);
    return size;
  });
}

bool lists_close(std::string_view options) {
  http::OwnedFields fields;
  return fields.set("Connection", options) && http::connection_options(fields.view()).close;
}

// Fields that have a place of their own in the response: true when `name` is one and has been dealt with.
Result<bool> set_special(ResponseParts& response, std::string_view name, std::string_view value) {
  switch (http::intern(name)) {
    case FieldName::content_length:
    case FieldName::transfer_encoding:
      return fail(Errc::managed_field);
    case FieldName::connection:
      if (!lists_close(value)) return fail(Errc::managed_field);
      response.close = true;
      return true;
    case FieldName::content_type:
      if (!ascii::is_value(value)) return fail(Errc::bad_field_value);
      response.content_type = ascii::trim(value);
      return true;
    default:
      return false;
  }
}

// Whether a user agent would keep `cookie` in the place of the one that `line` sets.
bool is_same_cookie(std::string_view line, const http::SetCookie& cookie) {
  const Result<http::SetCookie> other = http::parse_set_cookie(line);
  return other && other->name == cookie.name && other->path == cookie.path &&
         ascii::equal_ignoring_case(other->domain, cookie.domain);
}

// The only field of that name; a second one could be meant just as well.
std::optional<std::string_view> only_field(const http::Fields& fields, FieldName name) {
  return fields.is_repeated(name) ? std::nullopt : fields.get(name);
}

bool has_type(const http::Fields& fields, std::string_view type, std::string_view subtype) {
  const auto value = only_field(fields, FieldName::content_type);
  const Result<http::MediaType> parsed = value ? http::parse_media_type(*value) : fail(Errc::bad_media_type);
  return parsed && parsed->is(type, subtype);
}

std::optional<std::string_view> value_of(const Result<const http::Args*>& args, std::string_view name) {
  return args ? (*args)->get(name) : std::nullopt;
}

Result<void> read_form(const http::Fields& fields, Bytes body, const http::MultipartLimits& limits, http::Form& form) {
  const Result<http::Boundary> boundary =
      http::boundary_of(only_field(fields, FieldName::content_type).value_or(""), "form-data");
  if (!boundary) return fail(boundary.error());
  http::FormReader reader(*boundary, limits);
  if (const Result<void> taken = reader.take(body); !taken) return taken;
  Result<http::Form> read = reader.finish();
  if (!read) return fail(read.error());
  form = std::move(*read);
  return {};
}

void append_hex(std::uint64_t value, std::string& out) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789ABCDEF"[value >> shift & 0xf];
}

}  // namespace

// ---- the memory ------------------------------------------------------------------------------------------

void ResponseParts::drop_body() {
  body.clear();
  body_view = {};
  drop_stream();
}

void ResponseParts::drop_stream() {
  trailers.clear();
  source.reset();
  stream_length = http::KnownLength();
}

void ResponseParts::drop_head() {
  status = 200;
  reason.clear();
  content_type.clear();
  fields.clear();
}

[[gnu::noinline]] void ResponseParts::drop_special() {
  is_plain = true;
  reason.clear();
  body_view = {};
  drop_stream();
  no_default_server = no_default_date = no_default_content_type = false;
}

void ResponseParts::clear() {
  status = 200;
  content_type.clear();
  fields.clear();
  clear_keeping_some(body);
  close = false;
  if (!is_plain) drop_special();
}

void Exchange::begin() {
  is_blank = true;
  if (lazy != nullptr) forget_lazy_parts();
  parser.reset();
  head.method = http::Method::get;
  head.is_http_1_0 = false;
  head_bytes = inline_body_bytes = 0;
  body = {};
  decoded_path.clear();
  response.clear();
  if (!is_plain) begin_plain();
}

void Exchange::forget_connection() {
  input.clear();
  if (input.capacity() > BufferPool::kMaxKeptBytes) [[unlikely]]
    input.release();
  parser.forget();
  ends = nullptr;
  own_ends.reset();
}

[[gnu::noinline]] void Exchange::begin_plain() {
  is_plain = true;
  clear_keeping_some(body_storage);
  body_reader.reset();
  stop.reset();
  has_given_up = false;
  late_answer.status = 503;
  late_answer.message.clear();
  late_answer.fields.clear();
  thrown.reset();
  hijack.reset();
  if (shown_ends != nullptr) ends = connection_ends;
  shown_ends.reset();
}

void Exchange::show_remote(net::Address remote) {
  is_plain = false;
  if (shown_ends == nullptr) connection_ends = ends;
  shown_ends = std::make_unique<Ends>(connection_ends->local, std::move(remote));
  ends = shown_ends.get();
}

[[gnu::cold]] void Exchange::forget_lazy_parts() {
  if (body.size() + head.target.size() > kMaxKeptBodyBytes) {
    lazy.reset();
  } else {
    lazy->forget();
  }
}

// ---- the request: its first line -------------------------------------------------------------------------

http::Method RequestCtx::method() const { return exchange_.head.method; }
std::string_view RequestCtx::method_text() const { return exchange_.head.method_text; }
bool RequestCtx::is_http_1_0() const { return exchange_.head.is_http_1_0; }
std::string_view RequestCtx::target() const { return exchange_.head.target; }
std::string_view RequestCtx::path_original() const { return exchange_.head.path; }
std::string_view RequestCtx::query() const { return exchange_.head.query; }

std::string_view RequestCtx::path() const {
  if (http::is_plain_path(exchange_.head.path)) return exchange_.head.path;
  if (exchange_.decoded_path.empty() && !http::append_path(exchange_.head.path, exchange_.decoded_path)) return {};
  return exchange_.decoded_path;
}

Result<const http::Uri*> RequestCtx::uri() const {
  return exchange_.lazily().uri.get(
      [this](http::Uri& uri) { return uri.parse(host(), target(), is_tls() ? "https" : "http"); });
}

// ---- the request: its fields -----------------------------------------------------------------------------

const http::Fields& RequestCtx::headers() const { return exchange_.head.fields; }
std::optional<std::string_view> RequestCtx::header(std::string_view name) const { return headers().get(name); }
std::optional<std::string_view> RequestCtx::header(FieldName name) const { return headers().get(name); }
std::string_view RequestCtx::host() const { return exchange_.head.authority; }
std::string_view RequestCtx::referer() const { return header(FieldName::referer).value_or(""); }
std::string_view RequestCtx::user_agent() const { return header(FieldName::user_agent).value_or(""); }
std::string_view RequestCtx::content_type() const { return header(FieldName::content_type).value_or(""); }

std::optional<std::string_view> RequestCtx::cookie(std::string_view name) const {
  return http::cookie_value(headers(), name);
}

http::CookieReader RequestCtx::cookies() const { return http::CookieReader(headers()); }

Result<http::BasicCredentials> RequestCtx::basic_auth() const {
  const auto value = only_field(headers(), FieldName::authorization);
  if (!value) return fail(Errc::bad_credentials);
  return http::parse_basic(*value, exchange_.lazily().credentials);
}

Result<std::string_view> RequestCtx::bearer_token() const {
  const auto value = only_field(headers(), FieldName::authorization);
  if (!value) return fail(Errc::bad_credentials);
  return http::parse_bearer(*value);
}

http::Verdict RequestCtx::evaluate_conditions(const http::Representation& current) const {
  return http::evaluate_conditions(method(), headers(), current, runtime().loop().wall_now());
}

bool RequestCtx::if_modified_since(WallTime last_modified) const {
  return evaluate_conditions({.last_modified = last_modified}) != http::Verdict::not_modified;
}

// ---- the request: its body and its parameters ------------------------------------------------------------

std::string_view RequestCtx::body() const { return exchange_.body; }

std::optional<std::string> RequestCtx::query(std::string_view name) const { return http::query_value(query(), name); }

Result<const http::Args*> RequestCtx::query_args() const {
  return exchange_.lazily().query_args.get([this](http::Args& args) { return args.parse(query()); });
}

Result<const http::Args*> RequestCtx::post_args() const {
  return exchange_.lazily().post_args.get([this](http::Args& args) {
    const bool is_form = has_type(headers(), "application", "x-www-form-urlencoded");
    return args.parse(is_form ? body() : std::string_view());
  });
}

Result<const http::Form*> RequestCtx::multipart_form(const http::MultipartLimits& limits) const {
  return exchange_.lazily().form.get([&](http::Form& form) { return read_form(headers(), body(), limits, form); });
}

std::optional<std::string_view> RequestCtx::form_value(std::string_view name) const {
  if (const auto value = value_of(query_args(), name)) return value;
  if (const auto value = value_of(post_args(), name)) return value;
  const Result<const http::Form*> form = multipart_form();
  return form ? (*form)->value(name) : std::nullopt;
}

const http::FormFile* RequestCtx::form_file(std::string_view name) const {
  const Result<const http::Form*> form = multipart_form();
  return form ? (*form)->file(name) : nullptr;
}

// ---- the request: where it comes from --------------------------------------------------------------------

const net::Address& RequestCtx::remote_address() const { return exchange_.ends->remote; }
const net::Address& RequestCtx::local_address() const { return exchange_.ends->local; }
void RequestCtx::set_remote_address(net::Address address) { exchange_.show_remote(std::move(address)); }
std::string RequestCtx::remote_ip() const { return remote_address().ip_text(); }
std::string RequestCtx::local_ip() const { return local_address().ip_text(); }
const net::SecurityFacts* RequestCtx::tls() const { return exchange_.security; }
std::uint64_t RequestCtx::connection_id() const { return exchange_.connection_id; }
std::uint64_t RequestCtx::request_number() const { return exchange_.request_number; }
TimePoint RequestCtx::connected_at() const { return exchange_.connected_at; }
TimePoint RequestCtx::started_at() const { return exchange_.started_at; }

std::string RequestCtx::to_string() const {
  std::string text = "#";
  append_hex(id(), text);
  text.append(" - ").append(local_address().to_string()).append("<->").append(remote_address().to_string());
  const Result<const http::Uri*> whole = uri();
  text.append(" - ").append(method_text()).append(" ").append(whole ? (*whole)->full_uri() : target());
  return text;
}

// ---- values of the application ---------------------------------------------------------------------------

UserValues& RequestCtx::user_values() { return exchange_.lazily().user_values; }

std::any* RequestCtx::find_user_value(std::string_view key) const {
  return exchange_.lazy == nullptr ? nullptr : exchange_.lazy->user_values.find(key);
}

bool RequestCtx::remove_user_value(std::string_view key) {
  return exchange_.lazy != nullptr && exchange_.lazy->user_values.remove(key);
}

// ---- the response: status and fields ---------------------------------------------------------------------

int RequestCtx::status() const { return exchange_.response.status; }

void RequestCtx::set_status(int status) {
  const bool can_be_final = status >= 200 && status <= 599;
  exchange_.response.status = can_be_final ? status : 500;
}

Result<void> RequestCtx::set_reason(std::string_view reason) {
  if (!ascii::is_value(reason) || reason.size() > http::kMaxReasonBytes) return fail(Errc::bad_reason);
  exchange_.response.is_plain = false;
  exchange_.response.reason = reason;
  return {};
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
  if (http::intern(name) == FieldName::content_type) exchange_.response.content_type.clear();
  exchange_.response.fields.remove(name);
}

std::optional<std::string_view> RequestCtx::response_header(std::string_view name) const {
  const ResponseParts& response = exchange_.response;
  switch (http::intern(name)) {
    case FieldName::content_type:
      return response.content_type.empty() ? std::nullopt : std::optional<std::string_view>(response.content_type);
    case FieldName::connection:
      return response.close ? std::optional<std::string_view>("close") : std::nullopt;
    default:
      return response.fields.get(name);
  }
}

const http::Fields& RequestCtx::response_headers() const { return exchange_.response.fields.view(); }

Result<void> RequestCtx::add_vary(std::string_view name) { return http::add_vary(exchange_.response.fields, name); }

Result<void> RequestCtx::set_content_type(std::string_view type) {
  if (!ascii::is_value(type)) return fail(Errc::bad_field_value);
  assign(exchange_.response.content_type, ascii::trim(type));
  return {};
}

Result<void> RequestCtx::set_cookie(const http::SetCookie& cookie) {
  std::string line;
  if (const Result<void> written = http::write_set_cookie(cookie, line); !written) return written;
  http::OwnedFields& fields = exchange_.response.fields;
  std::vector<std::string> others;
  bool is_replaced = false;
  fields.for_each("Set-Cookie", [&](std::string_view other) {
    if (is_same_cookie(other, cookie)) {
      is_replaced = true;
    } else {
      others.emplace_back(other);
    }
  });
  if (is_replaced) {
    fields.remove("Set-Cookie");
    for (const std::string& other : others) (void)fields.add("Set-Cookie", other);
  }
  return fields.add("Set-Cookie", line);
}

Result<void> RequestCtx::delete_client_cookie(const http::SetCookie& cookie) {
  return set_cookie(http::deleted(cookie));
}

void RequestCtx::suppress_server() {
  exchange_.response.is_plain = false;
  exchange_.response.no_default_server = true;
}
void RequestCtx::suppress_date() {
  exchange_.response.is_plain = false;
  exchange_.response.no_default_date = true;
}
void RequestCtx::suppress_content_type() {
  exchange_.response.is_plain = false;
  exchange_.response.no_default_content_type = true;
}
void RequestCtx::set_connection_close() { exchange_.response.close = true; }

// ---- the response: its body ------------------------------------------------------------------------------

std::string_view RequestCtx::response_body() const { return exchange_.response.body_bytes(); }

void RequestCtx::set_body(std::string_view body) {
  assign(exchange_.response.body, body);
  exchange_.response.body_view = {};
}

void RequestCtx::take_body(std::string& body) {
  exchange_.response.body = std::move(body);
  exchange_.response.body_view = {};
}

void RequestCtx::set_body_view(std::string_view body) {
  exchange_.response.body.clear();
  exchange_.response.is_plain = false;
  exchange_.response.body_view = body;
}

void RequestCtx::append_body(std::string_view more) {
  ResponseParts& response = exchange_.response;
  if (!response.body_view.empty()) set_body(response.body_view);
  response.body += more;
}

void RequestCtx::reset_body() { exchange_.response.drop_body(); }

// ---- the response: all at once ---------------------------------------------------------------------------

Result<void> RequestCtx::success(std::string_view content_type, std::string_view body) {
  if (const Result<void> set = set_content_type(content_type); !set) return set;
  set_status(200);
  set_body(body);
  return {};
}

void RequestCtx::error(int status, std::string_view message) {
  set_body(message);  // first, since it may be part of what is dropped
  exchange_.response.drop_head();
  exchange_.response.drop_stream();
  if (!exchange_.is_plain) exchange_.hijack.reset();
  set_status(status);
}

void RequestCtx::not_modified() {
  set_status(304);
  exchange_.response.content_type.clear();
  reset_body();
}

Result<void> RequestCtx::redirect(std::string_view location, int status) {
  if (!ascii::is_value(location)) return fail(Errc::bad_field_value);
  const Result<http::UriView> reference = http::parse_uri_reference(location);
  if (!reference) return fail(reference.error());
  const Result<const http::Uri*> base = uri();
  Result<void> set;
  if (reference->is_relative() && base) {
    http::Uri resolved = **base;
    if (const Result<void> done = resolved.resolve(location); !done) return done;
    set = exchange_.response.fields.set("Location", resolved.full_uri());
  } else {
    set = exchange_.response.fields.set("Location", location);
  }
  if (!set) return set;
  set_status(http::is_redirect(status) ? status : 302);
  exchange_.response.content_type.clear();
  reset_body();
  return {};
}

void RequestCtx::reset_response() {
  exchange_.response.drop_head();
  exchange_.response.drop_body();
  if (!exchange_.is_plain) exchange_.hijack.reset();
}

// ---- around it -------------------------------------------------------------------------------------------

void RequestCtx::log(std::string_view line) const { exchange_.server->log(to_string() + " - " + std::string(line)); }

Runtime& RequestCtx::runtime() const { return *exchange_.runtime; }
TimePoint RequestCtx::now() const { return exchange_.runtime->loop().now(); }

}  // namespace pipette::server
