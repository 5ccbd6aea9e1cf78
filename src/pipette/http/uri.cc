// The grammar is regular: each part ends at the first octet that may not stand in it, and that octet says which part
// begins there, or that the text is no URI. Whatever changes a Uri composes the new text beside the old one and parses
// it: what does not read back as the parts that were meant is refused.

#include "pipette/http/uri.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/base/digits.h"
#include "pipette/http/host.h"
#include "pipette/http/percent.h"

namespace pipette::http {
namespace {

using internal::Span;
using internal::UriSpans;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint64_t kMaxPort = 65535;

// ---- the octets of each part, RFC 3986 appendix A --------------------------------------------------------

enum Part : std::uint8_t {
  scheme_part = 1,
  userinfo_part = 2,
  name_part = 4,  // of a host, as host.h has it
  path_part = 8,
  query_part = 16,  // a fragment has the octets of a query
  unreserved = 32,
  dot = 64,
};

// "%" is in none of them: skip() checks what is behind it.
consteval std::array<std::uint8_t, 256> make_parts() {
  std::array<std::uint8_t, 256> parts{};
  const auto add = [&](std::string_view octets, unsigned bits) {
    for (const char c : octets) parts[static_cast<std::uint8_t>(c)] |= static_cast<std::uint8_t>(bits);
  };
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.",
      scheme_part | userinfo_part | name_part | path_part | query_part | unreserved);
  add("_~", userinfo_part | name_part | path_part | query_part | unreserved);
  add("+", scheme_part);
  add("!$&'()*+;=", userinfo_part | name_part | path_part | query_part);
  add(",:", userinfo_part | path_part | query_part);
  add("@/", path_part | query_part);
  add("?", query_part);
  add(".", dot);
  return parts;
}

constexpr std::array<std::uint8_t, 256> kParts = make_parts();

bool stands_in(char c, Part part) { return (kParts[static_cast<std::uint8_t>(c)] & part) != 0; }

struct Run {
  std::size_t end = 0;
  bool is_plain = true;  // without "." and "%"
};

// The octets that may stand in `part`, from `at` on.
inline Run skip(std::string_view text, std::size_t at, Part part) {
  unsigned seen = 0;
  bool has_percent = false;
  const auto bits_at = [&](std::size_t index) { return unsigned{kParts[static_cast<std::uint8_t>(text[index])]}; };
  for (;; ++at) {
    while (text.size() - at >= 4) {
      const unsigned a = bits_at(at), b = bits_at(at + 1), c = bits_at(at + 2), d = bits_at(at + 3);
      if ((a & b & c & d & part) == 0) break;
      seen |= a | b | c | d;
      at += 4;
    }
    if (at == text.size()) break;
    const unsigned bits = kParts[static_cast<std::uint8_t>(text[at])];
    if ((bits & part) == 0) {
      if (text[at] != '%' || text.size() - at <= 2) break;
      if (!ascii::is_hex_digit(text[at + 1]) || !ascii::is_hex_digit(text[at + 2])) break;
      has_percent = true;
      at += 2;
    }
    seen |= bits;
  }
  return {at, !has_percent && (seen & dot) == 0};
}

std::size_t scheme_size(std::string_view text) {
  if (text.empty() || !ascii::is_alpha(text.front())) return 0;
  std::size_t size = 1;
  while (size < text.size() && stands_in(text[size], scheme_part)) ++size;
  return size;
}

bool is_port(std::string_view digits) {
  const auto port = ascii::parse_decimal(digits);
  return digits.empty() || (port && *port <= kMaxPort);
}

// Where the ":" before the port stands in a valid host with or without one.
std::size_t port_colon(std::string_view host) {
  const std::size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  return host.find(':', bracket);
}

// ---- parsing, RFC 3986 §3 --------------------------------------------------------------------------------

Span span(std::size_t at, std::size_t size) {
  return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)};
}

// authority = [ userinfo "@" ] host [ ":" port ], where `text` is all of it and begins at `base`.
bool take_authority(std::string_view text, std::size_t base, UriSpans& uri) {
  uri.authority = span(base, text.size());
  std::size_t name_size = 0;
  while (name_size < text.size() && stands_in(text[name_size], name_part)) ++name_size;
  if (name_size == text.size()) {  // as nearly every one is
    uri.host = uri.authority;
    return true;
  }
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    if (skip(text.substr(0, at), 0, userinfo_part).end != at) return false;
    uri.userinfo = span(base, at);
    text.remove_prefix(at + 1);
    base += at + 1;
  }
  const bool has_name = !text.empty() && text.front() != ':';
  if (has_name && !is_host(text)) return false;
  const std::size_t colon = std::min(port_colon(text), text.size());
  uri.host = span(base, colon);
  if (colon == text.size()) return true;
  uri.port = span(base + colon + 1, text.size() - colon - 1);
  return has_name || is_port(text.substr(colon + 1));
}

// path [ "?" query ] [ "#" fragment ], where `text` is all of it and begins at `base`.
bool take_path_and_rest(std::string_view text, std::size_t base, UriSpans& uri) {
  const Run path = skip(text, 0, path_part);
  uri.path = span(base, path.end);
  uri.path_is_plain = path.is_plain || is_plain_path(text.substr(0, path.end));
  std::size_t at = path.end;
  if (at < text.size() && text[at] == '?') {
    const std::size_t begin = at + 1;
    at = skip(text, begin, query_part).end;
    uri.query = span(base + begin, at - begin);
  }
  if (at < text.size() && text[at] == '#') {
    const std::size_t begin = at + 1;
    at = skip(text, begin, query_part).end;
    uri.fragment = span(base + begin, at - begin);
  }
  return at == text.size();
}

bool is_authority_end(char c) { return c == '/' || c == '?' || c == '#'; }

// URI-reference.
bool take_uri(std::string_view text, UriSpans& uri, std::size_t max_bytes = kMaxUriBytes) {
  if (text.size() > max_bytes) return false;
  std::size_t at = 0;
  if (const std::size_t size = scheme_size(text); size > 0 && size < text.size() && text[size] == ':') {
    uri.scheme = span(0, size);
    at = size + 1;
  }
  if (text.substr(at).starts_with("//")) {
    const std::size_t begin = at + 2;
    at = begin;
    while (at < text.size() && !is_authority_end(text[at])) ++at;
    if (!take_authority(text.substr(begin, at - begin), begin, uri)) return false;
  }
  if (!take_path_and_rest(text.substr(at), at, uri)) return false;
  // What is before the first ":" would be a scheme, and is none: path-noscheme.
  const std::string_view path = uri.path.in(text);
  const bool is_bare_path = !uri.scheme.is_there() && !uri.authority.is_there();
  return !is_bare_path || !path.substr(0, path.find('/')).contains(':');
}

UriView view_of(const UriSpans& uri, std::string_view text) {
  return {.scheme = uri.scheme.in(text),
          .authority = uri.authority.part_of(text),
          .userinfo = uri.userinfo.part_of(text),
          .host = uri.host.in(text),
          .port = uri.port.part_of(text),
          .path = uri.path.in(text),
          .query = uri.query.part_of(text),
          .fragment = uri.fragment.part_of(text)};
}

// ---- paths -----------------------------------------------------------------------------------------------

std::size_t without_last_segment(const char* path, std::size_t size) {
  while (size > 0 && path[--size] != '/') {
  }
  return size;
}

// RFC 3986 §5.2.4, with its letters; in place, and in linear time, since what is written is never ahead of what is read
// and each octet is taken back once at most. Returns the size.
std::size_t remove_dot_segments(char* path, std::size_t size) {
  std::size_t in = 0;
  std::size_t out = 0;
  while (in < size) {
    const std::string_view rest(path + in, size - in);
    if (rest.starts_with("../")) {  // A
      in += 3;
    } else if (rest.starts_with("./")) {
      in += 2;
    } else if (rest.starts_with("/./")) {  // B
      in += 2;
    } else if (rest == "/.") {
      path[++in] = '/';
    } else if (rest.starts_with("/../")) {  // C
      in += 3;
      out = without_last_segment(path, out);
    } else if (rest == "/..") {
      in += 2;
      path[in] = '/';
      out = without_last_segment(path, out);
    } else if (rest == "." || rest == "..") {  // D
      in = size;
    } else {  // E
      do {
        path[out++] = path[in++];
      } while (in < size && path[in] != '/');
    }
  }
  return out;
}

// Of what stands in `text` from `at` on, which is the path of a URI; the rest of the URI is not there yet.
void remove_dot_segments(std::string& text, std::size_t at, bool has_authority) {
  text.resize(at + remove_dot_segments(text.data() + at, text.size() - at));
  // Else it would read as an authority.
  if (!has_authority && std::string_view(text).substr(at).starts_with("//")) text.insert(at, "/.");
}

// Whether `path` begins with a segment "." or "..".
bool begins_with_dots(std::string_view path) {
  path.remove_prefix(path.starts_with("..") ? 2 : 1);
  return path.empty() || path.front() == '/';
}

// ---- composing, RFC 3986 §5.3 ----------------------------------------------------------------------------

void append_scheme(std::string_view scheme, std::string& out) {
  if (!scheme.empty()) out.append(scheme).append(":");
}

void append_authority(const UriView& uri, std::string& out) {
  if (!uri.authority) return;
  out.append("//");
  if (uri.userinfo) out.append(*uri.userinfo).append("@");
  out.append(uri.host);
  if (uri.port) out.append(":").append(*uri.port);
}

void append_query_and_fragment(const UriView& uri, std::string& out) {
  if (uri.query) out.append("?").append(*uri.query);
  if (uri.fragment) out.append("#").append(*uri.fragment);
}

bool have_same_parts(const UriView& a, const UriView& b) {
  return a.scheme == b.scheme && a.authority.has_value() == b.authority.has_value() && a.userinfo == b.userinfo &&
         a.host == b.host && a.port == b.port && a.path == b.path && a.query == b.query && a.fragment == b.fragment;
}

// RFC 3986 §5.2.3: what a relative path is put behind.
std::string_view directory_of(const UriView& base) {
  if (base.authority && base.path.empty()) return "/";
  return base.path.substr(0, base.path.rfind('/') + 1);
}

// RFC 3986 §6.2.2.1-§6.2.2.2.
void append_normalized(std::string_view text, bool to_lower, std::string& out) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const unsigned high = ascii::hex_value(text[i + 1]);
      const unsigned low = ascii::hex_value(text[i + 2]);
      i += 2;
      c = static_cast<char>(high << 4U | low);
      if (!stands_in(c, unreserved)) {
        out.append({'%', kHexDigits[high], kHexDigits[low]});
        continue;
      }
    }
    out += to_lower ? ascii::to_lower(c) : c;
  }
}

bool has_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() && ascii::equal_ignoring_case(text.substr(0, scheme.size()), scheme);
}

}  // namespace

Result<UriView> parse_uri_reference(std::string_view text) {
  UriSpans uri;
  if (!take_uri(text, uri)) return fail(Errc::bad_uri);
  return view_of(uri, text);
}

Result<UriView> parse_uri(std::string_view text) {
  UriSpans uri;
  if (!take_uri(text, uri) || !uri.scheme.is_there()) return fail(Errc::bad_uri);
  return view_of(uri, text);
}

std::uint16_t default_port(std::string_view scheme) {
  if (ascii::equal_ignoring_case(scheme, "http")) return kHttpPort;
  return ascii::equal_ignoring_case(scheme, "https") ? kHttpsPort : 0;
}

// ---- what a client calls ---------------------------------------------------------------------------------

HttpUrl moved(const HttpUrl& url, const char* from, const char* to) {
  const auto move = [&](std::string_view view) {
    return view.empty() ? std::string_view() : std::string_view(to + (view.data() - from), view.size());
  };
  HttpUrl other = url;
  other.authority = move(url.authority);
  other.host = move(url.host);
  other.target = move(url.target);
  return other;
}

bool is_target(std::string_view target) {
  return std::ranges::all_of(target, ascii::is_target_char) && has_valid_percents(target);
}

Result<HttpUrl> parse_http_url(std::string_view text) {
  HttpUrl url;
  if (has_scheme(text, "http://")) {
    text.remove_prefix(7);
    url.port = kHttpPort;
  } else if (has_scheme(text, "https://")) {
    text.remove_prefix(8);
    url.port = kHttpsPort;
    url.is_https = true;
  } else {
    return fail(text.contains("://") ? Errc::unsupported_scheme : Errc::bad_uri);
  }
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    if (skip(text, hash + 1, query_part).end != text.size()) return fail(Errc::bad_uri);
    text = text.substr(0, hash);
  }
  const auto end = static_cast<std::size_t>(std::ranges::find_if(text, is_authority_end) - text.begin());
  url.authority = text.substr(0, end);
  url.target = text.substr(end);
  if (!is_host(url.authority) || !is_target(url.target)) return fail(Errc::bad_uri);

  const std::size_t colon = port_colon(url.authority);
  url.host = url.authority.substr(0, colon);
  if (colon != std::string_view::npos && colon + 1 < url.authority.size()) {
    url.port = static_cast<std::uint16_t>(*ascii::parse_decimal(url.authority.substr(colon + 1)));
  }
  return url;
}

// ---- paths -----------------------------------------------------------------------------------------------

bool is_plain_path(std::string_view raw) {
  char before = '/';
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%' || raw[i] == '\0') return false;
    if (raw[i] == '.' && before == '/' && begins_with_dots(raw.substr(i))) return false;
    before = raw[i];
  }
  return true;
}

Result<void> append_path(std::string_view raw, std::string& out) {
  const std::size_t before = out.size();
  if (const Result<void> decoded = append_percent_decoded(raw, out); !decoded) return decoded;
  if (out.find('\0', before) != std::string::npos) {
    out.resize(before);
    return fail(Errc::bad_uri);
  }
  out.resize(before + remove_dot_segments(out.data() + before, out.size() - before));
  return {};
}

// ---- a URI to keep and to change -------------------------------------------------------------------------

Uri& Uri::operator=(Uri&& other) noexcept {
  if (this == &other) return *this;
  text_ = std::move(other.text_);
  spans_ = other.spans_;
  args_are_parsed_ = other.args_are_parsed_;
  path_ = std::move(other.path_);
  args_ = std::move(other.args_);
  other.clear();
  return *this;
}

Result<void> Uri::parse(std::string_view text) {
  UriSpans uri;
  if (!take_uri(text, uri) || !uri.scheme.is_there()) return fail(Errc::bad_uri);
  scratch_.assign(text);
  return adopt(uri);
}

Result<void> Uri::parse(std::string_view host, std::string_view target, std::string_view scheme) {
  UriSpans uri;
  if (!target.starts_with('/') && target != "*") {
    const bool is_absolute =
        is_host(host) && take_uri(target, uri) && uri.scheme.is_there() && !uri.host.in(target).empty();
    if (!is_absolute) return fail(Errc::bad_uri);
    scratch_.assign(target);
    return adopt(uri);
  }
  if (target == "*") target = {};  // the server itself: RFC 9112 §3.3
  if (scheme.empty() || scheme_size(scheme) != scheme.size()) return fail(Errc::bad_uri);
  const std::size_t host_at = scheme.size() + 3;
  const std::size_t path_at = host_at + host.size();
  if (target.size() > kMaxUriBytes || path_at > kMaxUriBytes - target.size()) return fail(Errc::bad_uri);
  uri.scheme = span(0, scheme.size());
  if (!take_authority(host, host_at, uri) || uri.userinfo.is_there() || uri.host.size == 0) return fail(Errc::bad_uri);
  if (!take_path_and_rest(target, path_at, uri)) return fail(Errc::bad_uri);
  const std::size_t size = path_at + target.size();
  scratch_.resize_and_overwrite(size, [&](char* begin, std::size_t) {
    std::memcpy(begin, scheme.data(), scheme.size());
    std::memcpy(begin + scheme.size(), "://", 3);
    std::memcpy(begin + host_at, host.data(), host.size());
    if (!target.empty()) std::memcpy(begin + path_at, target.data(), target.size());
    return size;
  });
  return adopt(uri);
}

Result<void> Uri::resolve(std::string_view reference) {
  const Result<UriView> parsed = parse_uri_reference(reference);
  if (!parsed) return fail(parsed.error());
  const UriView base = parts();
  UriView target = *parsed;  // RFC 3986 §5.2.2
  std::string_view directory;
  bool is_base_path = false;
  if (target.scheme.empty()) {
    if (base.scheme.empty()) return fail(Errc::bad_uri);
    target.scheme = base.scheme;
    if (!target.authority) {
      target.authority = base.authority;
      target.userinfo = base.userinfo;
      target.host = base.host;
      target.port = base.port;
      if (target.path.empty()) {
        is_base_path = true;
        target.path = base.path;
        if (!target.query) target.query = base.query;
      } else if (!target.path.starts_with('/')) {
        directory = directory_of(base);
      }
    }
  }
  scratch_.clear();
  append_scheme(target.scheme, scratch_);
  append_authority(target, scratch_);
  const std::size_t path_at = scratch_.size();
  scratch_.append(directory).append(target.path);
  if (!is_base_path) remove_dot_segments(scratch_, path_at, target.authority.has_value());
  append_query_and_fragment(target, scratch_);
  UriSpans uri;
  return take_uri(scratch_, uri) ? adopt(uri) : fail(Errc::bad_uri);
}

void Uri::normalize() {
  const UriView uri = parts();
  scratch_.clear();
  append_normalized(uri.scheme, true, scratch_);
  if (!uri.scheme.empty()) scratch_ += ':';
  if (uri.authority) {
    scratch_.append("//");
    if (uri.userinfo) {
      append_normalized(*uri.userinfo, false, scratch_);
      scratch_ += '@';
    }
    append_normalized(uri.host, true, scratch_);
    const std::uint16_t usual = default_port(uri.scheme);
    if (uri.port && !uri.port->empty() && (usual == 0 || port() != usual)) {
      scratch_ += ':';
      append_decimal(scratch_, port());
    }
  }
  const std::size_t path_at = scratch_.size();
  append_normalized(uri.path, false, scratch_);
  if (uri.authority && uri.path.empty()) scratch_ += '/';
  if (uri.path.starts_with('/')) remove_dot_segments(scratch_, path_at, uri.authority.has_value());
  if (uri.query) {
    scratch_ += '?';
    append_normalized(*uri.query, false, scratch_);
  }
  if (uri.fragment) {
    scratch_ += '#';
    append_normalized(*uri.fragment, false, scratch_);
  }
  UriSpans normalized;
  // One octet more, for the "/": nothing else becomes longer.
  [[maybe_unused]] const bool is_uri = take_uri(scratch_, normalized, kMaxUriBytes + 1) && adopt(normalized);
  assert(is_uri);
}

void Uri::clear() {
  text_.clear();
  spans_ = {};
  args_are_parsed_ = false;
}

// Takes the text in `scratch_`, whose parts these are.
Result<void> Uri::adopt(const UriSpans& uri) {
  if (!uri.path_is_plain && uri.path.in(scratch_).contains("%00")) return fail(Errc::bad_uri);
  text_.swap(scratch_);
  spans_ = uri;
  args_are_parsed_ = false;
  if (uri.path_is_plain) return {};
  path_.clear();
  return append_path(path_original(), path_);
}

// Becomes the URI of these parts, if they are parts of one.
Result<void> Uri::assign(const UriView& meant) {
  scratch_.clear();
  append_scheme(meant.scheme, scratch_);
  append_authority(meant, scratch_);
  scratch_.append(meant.path);
  append_query_and_fragment(meant, scratch_);
  UriSpans uri;
  if (!take_uri(scratch_, uri) || !have_same_parts(view_of(uri, scratch_), meant)) return fail(Errc::bad_uri);
  return adopt(uri);
}

UriView Uri::parts() const { return view_of(spans_, text_); }

bool Uri::is_https() const { return ascii::equal_ignoring_case(scheme(), "https"); }

std::uint16_t Uri::port() const {
  const std::string_view digits = spans_.port.in(text_);
  if (digits.empty()) return default_port(scheme());
  return static_cast<std::uint16_t>(*ascii::parse_decimal(digits));
}

std::string_view Uri::plain_path() const {
  const std::string_view path = path_original();
  return path.empty() && authority() ? "/" : path;
}

std::string_view Uri::last_path_segment() const { return path().substr(path().rfind('/') + 1); }

Result<const Args*> Uri::query_args() {
  if (!args_are_parsed_) {
    if (const Result<void> parsed = args_.parse(query().value_or("")); !parsed) return fail(parsed.error());
    args_are_parsed_ = true;
  }
  return &args_;
}

void Uri::append_request_target(std::string& out) const {
  if (!path_original().starts_with('/')) out += '/';
  out.append(path_original());
  if (query()) out.append("?").append(*query());
}

std::string Uri::request_target() const {
  std::string target;
  append_request_target(target);
  return target;
}

// ---- setters ---------------------------------------------------------------------------------------------

Result<void> Uri::set_scheme(std::string_view scheme) {
  UriView uri = parts();
  uri.scheme = scheme;
  return assign(uri);
}

Result<void> Uri::set_userinfo(std::optional<std::string_view> userinfo) {
  UriView uri = parts();
  uri.userinfo = userinfo;
  return uri.authority || !userinfo ? assign(uri) : fail(Errc::bad_uri);
}

Result<void> Uri::set_host(std::optional<std::string_view> host) {
  UriView uri = parts();
  uri.authority = host;
  uri.host = host.value_or("");
  if (!host) uri.userinfo = uri.port = std::nullopt;
  return assign(uri);
}

Result<void> Uri::set_port(std::optional<std::uint16_t> port) {
  UriView uri = parts();
  std::string digits;
  if (port) append_decimal(digits, *port);
  uri.port = port ? std::optional<std::string_view>(digits) : std::nullopt;
  return uri.authority || !port ? assign(uri) : fail(Errc::bad_uri);
}

Result<void> Uri::set_path(std::string_view path) {
  UriView uri = parts();
  uri.path = path;
  return assign(uri);
}

Result<void> Uri::set_query(std::optional<std::string_view> query) {
  UriView uri = parts();
  uri.query = query;
  return assign(uri);
}

Result<void> Uri::set_query(const Args& args) {
  if (args.empty()) return set_query(std::nullopt);
  std::string query;
  args.write(query);
  return set_query(query);
}

Result<void> Uri::set_fragment(std::optional<std::string_view> fragment) {
  UriView uri = parts();
  uri.fragment = fragment;
  return assign(uri);
}

}  // namespace pipette::http
