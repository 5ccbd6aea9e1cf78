// Everything is decided and checked first, and room is reserved for all of it; then it is only copied.

#include "pipette/http/message_writer.h"

#include <array>
#include <cassert>

#include "pipette/base/ascii.h"
#include "pipette/http/head_writer.h"
#include "pipette/http/host.h"
#include "pipette/http/status.h"
#include "pipette/http/trailer.h"

namespace pipette::http {
namespace {

using Kind = BodyLength::Kind;

// For the names and line ends of all that may stand beside the fields, their values apart.
constexpr std::size_t kNamesRoom = 256;
constexpr std::string_view kVersion = "HTTP/1.1";

bool is_scheme(std::string_view text) {
  if (text.empty() || !ascii::is_token(text) || !ascii::is_alpha(text.front())) return false;
  for (const char c : text) {
    if (!ascii::is_alpha(c) && !ascii::is_digit(c) && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

// A path and a query, as of_parsed() takes them.
bool is_path(std::string_view text) {
  if (!text.empty() && text.front() != '/' && text.front() != '?') return false;
  for (const char c : text) {
    if (!ascii::is_target_char(c)) return false;
  }
  return has_valid_percents(text);
}

bool lists(const Fields& fields, FieldName name, std::string_view token) {
  bool is_listed = false;
  fields.for_each(name, [&](std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      const std::string_view element = list.substr(0, comma);
      is_listed |= ascii::equal_ignoring_case(ascii::trim(element.substr(0, element.find(';'))), token);
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
  });
  return is_listed;
}

// What the fields have of those that the writer would add, or must look at: a bit each.
enum Own : unsigned {
  kConnection = 1,
  kContentType = 2,
  kDate = 4,
  kExpect = 8,
  kHost = 16,
  kManaged = 32,
  kServer = 64,
  kTe = 128,
  kTrailer = 256,
  kUpgrade = 512,
  kUserAgent = 1024,
};

consteval std::array<unsigned, kFieldNameCount> make_own() {
  std::array<unsigned, kFieldNameCount> own{};
  const auto set = [&](FieldName name, Own bit) { own[static_cast<std::size_t>(name)] = bit; };
  set(FieldName::connection, kConnection);
  set(FieldName::content_type, kContentType);
  set(FieldName::date, kDate);
  set(FieldName::expect, kExpect);
  set(FieldName::host, kHost);
  set(FieldName::content_length, kManaged);
  set(FieldName::transfer_encoding, kManaged);
  set(FieldName::server, kServer);
  set(FieldName::te, kTe);
  set(FieldName::trailer, kTrailer);
  set(FieldName::upgrade, kUpgrade);
  set(FieldName::user_agent, kUserAgent);
  return own;
}

constexpr std::array<unsigned, kFieldNameCount> kOwn = make_own();

inline unsigned look_at(const FieldLines& fields) {
  const Fields& view = fields.view();
  unsigned own = 0;
  for (std::size_t i = 0; i < view.size(); ++i) own |= kOwn[static_cast<std::size_t>(view.name(i))];
  return own;
}

Errc judge_own(const FieldLines& fields, unsigned own) {
  if ((own & kManaged) != 0) return Errc::managed_field;
  if ((own & kTrailer) == 0) return Errc();
  const Result<void> names = check_trailer_names(fields.view());
  return names ? Errc() : errc_of(names.error());
}

// What the Connection field must list and the fields do not (RFC 9110 §7.6.1, §7.8, §10.1.4): a bit each.
enum Listed : unsigned { kListClose = 1, kListKeepAlive = 2, kListUpgrade = 4, kListTe = 8 };

unsigned listed_besides(const FieldLines& fields, unsigned own, bool keeps_alive, bool is_for_http_1_0) {
  unsigned list = !keeps_alive ? kListClose : is_for_http_1_0 ? kListKeepAlive : 0U;
  if ((own & kUpgrade) != 0) list |= kListUpgrade;
  if ((own & kTe) != 0) list |= kListTe;
  if (list == 0 || (own & kConnection) == 0) return list;
  const ConnectionOptions options = connection_options(fields.view());
  if (options.close) list &= ~(kListClose | kListKeepAlive);
  if (options.keep_alive) list &= ~(kListKeepAlive + 0U);
  if (options.upgrade) list &= ~(kListUpgrade + 0U);
  if (lists(fields.view(), FieldName::connection, "TE")) list &= ~(kListTe + 0U);
  return list;
}

inline unsigned to_be_listed(const FieldLines& fields, unsigned own, bool keeps_alive, bool is_for_http_1_0) {
  if (keeps_alive && !is_for_http_1_0 && (own & (kUpgrade | kTe)) == 0) return 0;
  return listed_besides(fields, own, keeps_alive, is_for_http_1_0);
}

HeadWriter put_connection(HeadWriter writer, unsigned list) {
  std::string_view before = "Connection: ";
  const auto put = [&](Listed option, std::string_view name) {
    if ((list & option) == 0) return;
    writer.put(before);
    writer.put(name);
    before = ", ";
  };
  put(kListClose, "close");
  put(kListKeepAlive, "keep-alive");
  put(kListUpgrade, "Upgrade");
  put(kListTe, "TE");
  writer.put("\r\n");
  return writer;
}

// How a message is framed, in a register; the size is that of the KnownLength it was asked with.
struct Framing {
  Errc error{};  // none
  Kind kind = Kind::none;
  bool declares_size = false;
};

constexpr Framing kNoBody{};
constexpr Framing kExact{.kind = Kind::exact, .declares_size = true};

Framing frame_response(int status, Method request_method, bool is_for_http_1_0, KnownLength length) {
  if (status < kMinStatus || status > kMaxStatus) return {.error = Errc::bad_status};
  const bool ends_with_head = forbids_body(status);
  const bool is_tunnel = request_method == Method::connect && status < 300;
  if (status != 304 && (ends_with_head || is_tunnel || status == 205)) {
    if (length.size() != 0) return {.error = Errc::wrong_body_size};
    return status == 205 && !is_tunnel && request_method != Method::head ? kExact : kNoBody;  // RFC 9110 §15.3.6
  }
  // RFC 9110 §8.6: a length where there is no body is what the GET would have said.
  if (ends_with_head || request_method == Method::head) return {.declares_size = length.is_known()};
  if (length.is_known()) return kExact;
  return {.kind = is_for_http_1_0 ? Kind::until_close : Kind::chunked};
}

Framing frame_request(Method method, bool is_for_http_1_0, KnownLength length) {
  if (length == 0) {
    const bool usually_has_body = method == Method::post || method == Method::put || method == Method::patch;
    return usually_has_body ? kExact : kNoBody;
  }
  // RFC 9110 §9.3.6, §9.3.8.
  if (method == Method::connect || method == Method::trace) return {.error = Errc::wrong_body_size};
  if (length.is_known()) return kExact;
  if (is_for_http_1_0) return {.error = Errc::bad_transfer_coding};  // nor can a request end with the connection
  return {.kind = Kind::chunked};
}

BodyLength body_of(const Framing& framing, KnownLength length) {
  return {framing.kind, framing.kind == Kind::exact ? length.size() : 0};
}

Result<SentFraming> said(const Framing& framing, KnownLength length) {
  if (framing.error != Errc()) return fail(framing.error);
  return SentFraming{body_of(framing, length), framing.declares_size ? KnownLength(length.size()) : KnownLength()};
}

bool fits(const Framing& framing, KnownLength length, Bytes body) {
  return body.empty() || (framing.kind == Kind::exact && length.size() == body.size());
}

HeadWriter put_fields_but(HeadWriter writer, const Fields& fields, bool skips_host, bool skips_trailer) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const FieldName name = fields.name(i);
    if (skips_host && name == FieldName::host) continue;
    if (skips_trailer && name == FieldName::trailer) continue;
    writer.field(fields[i].name, fields[i].value);
  }
  return writer;
}

inline HeadWriter put_fields(HeadWriter writer, const FieldLines& fields, bool skips_host, bool skips_trailer) {
  const Fields& view = fields.view();
  if (skips_host || skips_trailer) return put_fields_but(writer, view, skips_host, skips_trailer);
  if (const Bytes lines = fields.lines(); !lines.empty()) {
    writer.put(lines);
    return writer;
  }
  for (std::size_t i = 0; i < view.size(); ++i) writer.field(view[i].name, view[i].value);
  return writer;
}

inline std::size_t room_for(const FieldLines& fields) {
  if (fields.empty()) return 0;
  const Bytes lines = fields.lines();
  return lines.empty() ? written_size(fields.view()) : lines.size();
}

}  // namespace

// ---- proofs ----------------------------------------------------------------------------------------------

Result<FieldValue> FieldValue::check(std::string_view text) {
  if (!ascii::is_value(text)) return fail(Errc::bad_field_value);
  return checked(ascii::trim(text));
}

Result<RequestTarget> RequestTarget::origin(std::string_view authority, std::string_view path) {
  if (!authority.empty() && !is_host(authority)) return fail(Errc::bad_host);
  if (!is_path(path)) return fail(Errc::bad_target);
  return of_parsed(authority, path);
}

Result<RequestTarget> RequestTarget::absolute(std::string_view scheme, std::string_view authority,
                                              std::string_view path) {
  if (!is_host(authority)) return fail(Errc::bad_host);
  if (!is_scheme(scheme) || !is_path(path)) return fail(Errc::bad_target);
  return RequestTarget(TargetForm::absolute, scheme, authority, path);
}

Result<RequestTarget> RequestTarget::authority(std::string_view host_and_port) {
  if (!is_host(host_and_port)) return fail(Errc::bad_host);
  const std::size_t colon = host_and_port.rfind(':');  // RFC 9110 §9.3.6: the port is not optional here
  if (colon == std::string_view::npos || !ascii::parse_decimal(host_and_port.substr(colon + 1))) {
    return fail(Errc::bad_target);
  }
  const bool is_zero = host_and_port.find_first_not_of('0', colon + 1) == std::string_view::npos;
  if (is_zero) return fail(Errc::bad_target);  // nothing can be reached there, and servers refuse it
  return RequestTarget(TargetForm::authority, {}, host_and_port, {});
}

Result<RequestTarget> RequestTarget::asterisk(std::string_view authority) {
  if (!authority.empty() && !is_host(authority)) return fail(Errc::bad_host);
  return RequestTarget(TargetForm::asterisk, {}, authority, {});
}

// ---- framing ---------------------------------------------------------------------------------------------

Result<SentFraming> framing_for_response(int status, Method request_method, bool is_for_http_1_0, KnownLength length) {
  return said(frame_response(status, request_method, is_for_http_1_0, length), length);
}

Result<SentFraming> framing_for_request(Method method, bool is_for_http_1_0, KnownLength length) {
  return said(frame_request(method, is_for_http_1_0, length), length);
}

// ---- responses -------------------------------------------------------------------------------------------

namespace {

// Errc() when there is nothing to be said against it.
Errc judge(const ResponseHeadParts& parts, unsigned own) {
  if (is_interim(parts.status)) {
    // RFC 9110 §7.8, §15.2.2: nothing is switched for HTTP/1.0, nor without saying to what.
    if (parts.status != 101 || parts.is_for_http_1_0 || (own & kUpgrade) == 0) return Errc::bad_status;
  }
  if (parts.reason && (!ascii::is_value(*parts.reason) || parts.reason->size() > kMaxReasonBytes)) {
    return Errc::bad_reason;
  }
  return own == 0 ? Errc() : judge_own(parts.fields, own);
}

HeadWriter put_status_line(HeadWriter writer, int status, const std::optional<std::string_view>& reason) {
  if (!reason) {
    writer.put(status_line(status));
    return writer;
  }
  writer.put(status_line(status).substr(0, kVersion.size() + 5));
  writer.put(*reason);
  writer.put("\r\n");
  return writer;
}

// Whether status line, Server and Date are what they are in every response.
bool has_usual_opening(const ResponseHeadParts& parts, unsigned own) {
  const bool is_changed = parts.reason || parts.no_default_server || parts.no_default_date || parts.status == 101;
  return !parts.defaults.opening.empty() && (own & (kServer | kDate)) == 0 && !is_changed;
}

HeadWriter put_opening(HeadWriter writer, const ResponseHeadParts& parts, unsigned own) {
  writer = put_status_line(writer, parts.status, parts.reason);
  if (parts.status == 101) return writer;
  if ((own & kServer) == 0 && !parts.no_default_server) writer.put(parts.defaults.server);
  if ((own & kDate) == 0 && !parts.no_default_date) writer.put(parts.defaults.date);
  return writer;
}

}  // namespace

Result<BodyLength> write_response_head(Buffer& out, const ResponseHeadParts& parts, Bytes body) {
  const KnownLength length = parts.no_default_content_length ? KnownLength() : parts.length;
  const Framing framing = frame_response(parts.status, parts.request_method, parts.is_for_http_1_0, length);
  if (framing.error != Errc()) return fail(framing.error);
  if (!fits(framing, length, body)) return fail(Errc::wrong_body_size);
  const unsigned own = parts.fields.empty() ? 0 : look_at(parts.fields);
  if (own != 0 || parts.reason || is_interim(parts.status)) {
    if (const Errc error = judge(parts, own); error != Errc()) return fail(error);
  }

  const std::string_view type = parts.content_type.text();
  const bool has_type = !type.empty() && !parts.no_default_content_type && (own & kContentType) == 0;
  const bool keeps_alive = parts.keeps_alive && framing.kind != Kind::until_close;
  const unsigned list = to_be_listed(parts.fields, own, keeps_alive, parts.is_for_http_1_0);
  // Trailers are announced only where some can follow.
  const bool skips_trailer = (own & kTrailer) != 0 && framing.kind != Kind::chunked;

  const DefaultLines& defaults = parts.defaults;
  HeadWriter writer(out, kNamesRoom + defaults.opening.size() + defaults.server.size() + defaults.date.size() +
                             (parts.reason ? parts.reason->size() : 0) + type.size() + room_for(parts.fields) +
                             body.size());
  if (has_usual_opening(parts, own)) {
    writer.put(parts.defaults.opening);
  } else {
    writer = put_opening(writer, parts, own);
  }
  if (has_type) writer.field("Content-Type", type);
  if (framing.declares_size) writer.content_length(length.size());
  if (framing.kind == Kind::chunked) writer.put("Transfer-Encoding: chunked\r\n");
  if (!parts.fields.empty()) writer = put_fields(writer, parts.fields, false, skips_trailer);
  if (list != 0) writer = put_connection(writer, list);
  writer.end(body);
  return body_of(framing, length);
}

void make_plain_opening(int status, const DefaultLines& defaults, FieldValue content_type, std::string& opening) {
  assert(!forbids_body(status) && status != 205);
  opening = defaults.opening;
  if (opening.empty()) opening.append(status_line(status)).append(defaults.server).append(defaults.date);
  if (!content_type.text().empty()) opening.append("Content-Type: ").append(content_type.text()).append("\r\n");
  opening += "Content-Length: ";
}

void write_plain_response(Buffer& out, std::string_view opening, std::size_t length, Bytes body) {
  HeadWriter writer(out, opening.size() + kMaxDecimalBytes + 4 + body.size());
  writer.put(opening);
  writer.put_decimal(length);
  writer.put("\r\n");
  writer.end(body);
}

Result<void> write_interim_response(Buffer& out, int status, bool is_for_http_1_0, FieldLines fields) {
  if (!is_interim(status) || status == 101) return fail(Errc::bad_status);
  if (const Errc error = judge_own(fields, fields.empty() ? 0 : look_at(fields)); error != Errc()) return fail(error);
  if (is_for_http_1_0) return {};
  HeadWriter writer(out, kNamesRoom + room_for(fields));
  writer.put(status_line(status));
  if (!fields.empty()) writer = put_fields(writer, fields, false, false);
  writer.end();
  return {};
}

// ---- requests --------------------------------------------------------------------------------------------

namespace {

std::string_view name_of(const RequestHeadParts& parts) {
  return parts.method == Method::other ? parts.method_text : to_string(parts.method);
}

// In the absolute and the authority form the Host field cannot differ from the target (RFC 9112 §3.2.2).
Errc judge_host(const RequestHeadParts& parts) {
  const RequestTarget& target = parts.target;
  if (parts.fields.view().is_repeated(FieldName::host)) return Errc::repeated_host;
  const std::string_view host = *parts.fields.view().get(FieldName::host);
  const bool is_in_target = target.form() == TargetForm::absolute || target.form() == TargetForm::authority;
  if (is_in_target && !ascii::equal_ignoring_case(host, target.host())) return Errc::bad_host;
  return host.empty() || is_host(host) ? Errc() : Errc::bad_host;
}

Errc judge(const RequestHeadParts& parts, Method method, unsigned own) {
  // RFC 9112 §3.2.3, §3.2.4: CONNECT goes to an authority, and only OPTIONS to "*".
  const TargetForm form = parts.target.form();
  if ((method == Method::connect) != (form == TargetForm::authority)) return Errc::bad_target;
  if (form == TargetForm::asterisk && method != Method::options) return Errc::bad_target;
  if (own == 0) return Errc();
  // RFC 9110 §10.1.1: no expectation without a body. §10.1.4: chunked goes without saying.
  if ((own & kExpect) != 0 && parts.length == 0) return Errc::managed_field;
  if ((own & kTe) != 0 && lists(parts.fields.view(), FieldName::te, "chunked")) return Errc::bad_transfer_coding;
  if ((own & kHost) != 0) {
    if (const Errc error = judge_host(parts); error != Errc()) return error;
  }
  return judge_own(parts.fields, own);
}

// As the user spells it.
Field host_field(const Fields& fields) {
  std::size_t i = 0;
  while (fields.name(i) != FieldName::host) ++i;
  return fields[i];
}

HeadWriter put_target(HeadWriter writer, const RequestTarget& target) {
  switch (target.form()) {
    case TargetForm::asterisk:
      writer.put("*");
      return writer;
    case TargetForm::authority:
      writer.put(target.host());
      return writer;
    case TargetForm::absolute:
      writer.put(target.scheme());
      writer.put("://");
      writer.put(target.host());
      break;
    case TargetForm::origin:
      break;
  }
  if (!target.path().starts_with('/')) writer.put("/");
  writer.put(target.path());
  return writer;
}

// What most requests are: nothing behind the head, and nothing in it that changes what else there is.
inline bool is_plain(const RequestHeadParts& parts) {
  const Method method = parts.method;
  const bool is_bodiless = method == Method::get || method == Method::head || method == Method::delete_;
  const bool is_usual = is_bodiless && parts.target.form() == TargetForm::origin && parts.length == 0;
  return is_usual && parts.keeps_alive && !parts.is_for_http_1_0 &&
         (parts.fields.empty() || look_at(parts.fields) == 0);
}

inline void write_plain_head(Buffer& out, const RequestHeadParts& parts) {
  const std::string_view name = to_string(parts.method);
  const std::string_view path = parts.target.path();
  const std::string_view host = parts.target.host();
  const std::string_view agent = parts.no_default_user_agent ? std::string_view() : parts.user_agent.text();
  HeadWriter writer(out, kNamesRoom + path.size() + host.size() + agent.size() + room_for(parts.fields));
  writer.put(name);
  writer.put(" ");
  if (!path.starts_with('/')) writer.put("/");
  writer.put(path);
  writer.put(" HTTP/1.1\r\nHost: ");
  writer.put(host);
  if (!agent.empty()) {
    writer.put("\r\nUser-Agent: ");
    writer.put(agent);
  }
  writer.put("\r\n");
  if (!parts.fields.empty()) writer = put_fields(writer, parts.fields, false, false);
  writer.end();
}

// Beside the path of the plain ones, which needs no frame as large.
[[gnu::noinline]] Result<BodyLength> write_any_head(Buffer& out, const RequestHeadParts& parts, Bytes body) {
  const std::string_view name = name_of(parts);
  Method method = parts.method;
  if (method == Method::other) {
    if (!ascii::is_token(name) || name.size() > kMaxMethodBytes) return fail(Errc::bad_method);
    method = method_of(name);
  }
  const bool has_body = parts.length != 0;
  const KnownLength length = parts.no_default_content_length && has_body ? KnownLength() : parts.length;
  Framing framing = frame_request(method, parts.is_for_http_1_0, length);
  if (framing.error != Errc()) return fail(framing.error);
  if (parts.no_default_content_length && !has_body) framing = kNoBody;
  if (!fits(framing, length, body)) return fail(Errc::wrong_body_size);
  const unsigned own = parts.fields.empty() ? 0 : look_at(parts.fields);
  if (const Errc error = judge(parts, method, own); error != Errc()) return fail(error);

  const RequestTarget& target = parts.target;
  const bool has_host = (own & kHost) != 0;
  const Field host = has_host ? host_field(parts.fields.view()) : Field{{}, target.host()};
  const std::string_view agent = parts.user_agent.text();
  const std::string_view type = parts.content_type.text();
  const bool has_agent = !agent.empty() && !parts.no_default_user_agent && (own & kUserAgent) == 0;
  const bool has_type = !type.empty() && has_body && !parts.no_default_content_type && (own & kContentType) == 0;
  const bool expects = parts.expects_continue && has_body && !parts.is_for_http_1_0 && (own & kExpect) == 0;
  const unsigned list = to_be_listed(parts.fields, own, parts.keeps_alive, parts.is_for_http_1_0);
  const bool skips_trailer = (own & kTrailer) != 0 && framing.kind != Kind::chunked;

  HeadWriter writer(out, kNamesRoom + name.size() + target.scheme().size() + target.host().size() +
                             target.path().size() + host.value.size() + agent.size() + type.size() +
                             room_for(parts.fields) + body.size());
  writer.put(name);
  writer.put(" ");
  writer = put_target(writer, target);
  writer.put(" HTTP/1.1\r\n");
  if (has_host) {
    writer.field(host.name, host.value);
  } else {
    writer.field("Host", host.value);
  }
  if (has_agent) writer.field("User-Agent", agent);
  if (has_type) writer.field("Content-Type", type);
  if (framing.declares_size) writer.content_length(length.size());
  if (framing.kind == Kind::chunked) writer.put("Transfer-Encoding: chunked\r\n");
  if (expects) writer.put("Expect: 100-continue\r\n");
  if (!parts.fields.empty()) writer = put_fields(writer, parts.fields, has_host, skips_trailer);
  if (list != 0) writer = put_connection(writer, list);
  writer.end(body);
  return body_of(framing, length);
}

}  // namespace

Result<BodyLength> write_request_head(Buffer& out, const RequestHeadParts& parts, Bytes body) {
  if (!body.empty() || !is_plain(parts)) return write_any_head(out, parts, body);
  write_plain_head(out, parts);
  return BodyLength();
}

}  // namespace pipette::http
