// URIs: what is accepted satisfies the grammar and has the parts that RFC 3986 appendix B finds; what a client would
// call can be sent; a Uri that is changed, resolved or normalized is a URI again, with the parts that were meant.
//
// Lines of the input: a URI, and a reference to resolve in it, which is also the part that is set.
#include "pipette/http/uri.h"

#include <string>
#include <vector>

#include "pipette/http/host.h"
#include "pipette/http/percent.h"

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/delivery.h"

namespace pipette::fuzz {
namespace {

using http::Uri;
using http::UriView;

bool is_hex(char c) { return is_one_of(c, "0123456789abcdefABCDEF"); }

bool is_of(std::string_view text, std::string_view marks) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_letter_or_digit(text[i]) && !is_one_of(text[i], marks)) {
      return false;
    }
  }
  return true;
}

// What `text` begins with up to the first of `ends`, taken off it.
std::string_view take_until(std::string_view& text, std::string_view ends) {
  const std::string_view taken = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(taken.size());
  return taken;
}

// The regular expression of RFC 3986 appendix B, by hand; the parts are then checked one by one.
void require_parts(const UriView& uri, std::string_view text) {
  if (const std::size_t end = text.find_first_of(":/?#");
      end != std::string_view::npos && end > 0 && text[end] == ':') {
    require(uri.scheme == text.substr(0, end));
    require(is_letter_or_digit(text[0]) && !is_one_of(text[0], "0123456789"));
    require(is_of(uri.scheme, "+-.") && !uri.scheme.contains('%'));
    text.remove_prefix(end + 1);
  } else {
    require(uri.scheme.empty() && !text.starts_with(":"));
  }
  require(uri.authority.has_value() == text.starts_with("//"));
  if (uri.authority) {
    text.remove_prefix(2);
    std::string_view authority = take_until(text, "/?#");
    require(*uri.authority == authority);
    require(uri.userinfo.has_value() == authority.contains('@'));
    if (uri.userinfo) {
      require(*uri.userinfo == take_until(authority, "@") && is_of(*uri.userinfo, "-._~!$&'()*+,;=:"));
      authority.remove_prefix(1);
    }
    require(authority == std::string(uri.host) + (uri.port ? ":" + std::string(*uri.port) : ""));
    require(uri.host.starts_with('[') ? uri.host.ends_with(']') : is_of(uri.host, "-._~!$&'()*+;="));
    if (uri.port) require(uri.port->find_first_not_of("0123456789") == std::string_view::npos);
  }
  require(uri.path == take_until(text, "?#") && is_of(uri.path, "-._~!$&'()*+,;=:@/"));
  require(!uri.authority || uri.path.empty() || uri.path.starts_with('/'));
  require(uri.query.has_value() == text.starts_with('?'));
  if (uri.query) require("?" + std::string(*uri.query) == take_until(text, "#"));
  require(uri.fragment.has_value() == !text.empty());
  if (uri.fragment) require("#" + std::string(*uri.fragment) == text);
  require(is_of(uri.query.value_or(""), "-._~!$&'()*+,;=:@/?") &&
          is_of(uri.fragment.value_or(""), "-._~!$&'()*+,;=:@/?"));
}

// Dot segments of a path that begins with "/", removed with a stack.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = take_until(path, "/");
    const bool is_dots = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!is_dots) segments.push_back(segment);
    if (is_dots && path.empty()) segments.push_back("");
  }
  std::string joined;
  for (const std::string_view segment : segments) joined.append("/").append(segment);
  return joined;
}

void run_path(std::string_view raw) {
  std::string path = "x";
  const Result<void> appended = http::append_path(raw, path);
  require(path.starts_with('x'));
  path.erase(0, 1);
  const Result<std::string> decoded = http::percent_decode(raw);
  require(appended.has_value() == (decoded && !decoded->contains('\0')));
  require(http::is_plain_path(raw) == (appended && path == raw));
  if (!appended) require(path.empty());
  if (appended && raw.starts_with('/')) require(path == without_dots(*decoded));
}

void require_sound(const Uri& uri) {
  const Result<UriView> parts = http::parse_uri_reference(uri.full_uri());
  require(parts.has_value());
  require(parts->scheme == uri.scheme() && parts->authority == uri.authority() && parts->userinfo == uri.userinfo());
  require(parts->host == uri.host() && parts->path == uri.path_original());
  require(parts->query == uri.query() && parts->fragment == uri.fragment());
  std::string path;
  require(http::append_path(uri.path_original(), path).has_value());
  require(path == uri.path() || (path.empty() && uri.path() == "/" && uri.authority()));
  if (uri.authority()) {
    const std::string target(uri.request_target());
    require(target.starts_with('/') && http::is_target(target) != target.contains("%00"));
  }
}

template <class Set, class Get>
void run_setter(Uri uri, std::string_view part, Set&& set, Get&& get) {
  const Uri before = uri;
  if (set(uri, part)) {
    require(get(uri) == part);
  } else {
    require(uri == before);
  }
  require_sound(uri);
}

void run_uri(std::string_view text, std::string_view reference) {
  Uri uri;
  if (!uri.parse(text)) {
    require(uri == Uri());
    return;
  }
  require(uri.full_uri() == text);
  require_sound(uri);

  Uri resolved = uri;
  const Result<UriView> parts = http::parse_uri_reference(reference);
  const bool is_resolved = resolved.resolve(reference).has_value();
  require(is_resolved ? parts.has_value() : resolved == uri);
  require(is_resolved || !parts || reference.contains("%00"));
  require_sound(resolved);
  if (is_resolved) {
    require(!resolved.scheme().empty() && resolved.fragment() == parts->fragment);
    const std::string_view path = resolved.path_original();
    if (!parts->path.empty() && path.starts_with('/')) {
      require(without_dots(path) == path || (path.starts_with("/.//") && !resolved.authority()));
    }
  }

  Uri normal = resolved;
  normal.normalize();
  require_sound(normal);
  // An encoded slash is one in path() only.
  const bool has_slash = resolved.path_original().contains("%2f") || resolved.path_original().contains("%2F");
  require(normal.path() == resolved.path() || has_slash || !resolved.authority());
  const std::string once(normal.full_uri());
  normal.normalize();
  require(normal.full_uri() == once);

  const auto get_path = [](const Uri& u) { return u.path_original(); };
  const auto get_host = [](const Uri& u) { return u.host(); };
  run_setter(
      uri, reference, [](Uri& u, std::string_view x) { return u.set_scheme(x); },
      [](const Uri& u) { return u.scheme(); });
  run_setter(
      uri, reference, [](Uri& u, std::string_view x) { return u.set_userinfo(x); },
      [](const Uri& u) { return u.userinfo(); });
  run_setter(uri, reference, [](Uri& u, std::string_view x) { return u.set_host(x); }, get_host);
  run_setter(uri, reference, [](Uri& u, std::string_view x) { return u.set_path(x); }, get_path);
  run_setter(
      uri, reference, [](Uri& u, std::string_view x) { return u.set_query(x); },
      [](const Uri& u) { return u.query(); });
  run_setter(
      uri, reference, [](Uri& u, std::string_view x) { return u.set_fragment(x); },
      [](const Uri& u) { return u.fragment(); });

  if (uri.parse("a", reference)) {
    require_sound(uri);
    require(!uri.host().empty() && (uri.host() == "a" || uri.full_uri() == reference));
    require(!reference.starts_with('/') || uri.full_uri() == "http://a" + std::string(reference));
  }
}

void run_http_url(std::string_view text) {
  const Result<http::HttpUrl> url = http::parse_http_url(text);
  if (!url) {
    require(url.error() == Errc::bad_uri || url.error() == Errc::unsupported_scheme);
    const Result<UriView> uri = http::parse_uri(text);
    require(!uri || uri->userinfo || uri->host.empty() || (uri->scheme.size() != 4 && uri->scheme.size() != 5) ||
            http::default_port(uri->scheme) == 0 || text.contains("%00"));
    return;
  }
  require(!url->host.empty() && url->authority.starts_with(url->host) && http::is_host(url->authority));
  require(http::is_target(url->target));

  // The request that a client would send for it.
  std::string request = "GET ";
  request.append(url->target_prefix()).append(url->target).append(" HTTP/1.1\r\nHost: ");
  request.append(url->authority).append("\r\n\r\n");
  const http::HeadLimits limits{.max_target_bytes = 1 << 20,
                                .max_start_line_bytes = 1 << 21,
                                .max_field_bytes = 1 << 20,
                                .max_head_bytes = 1 << 21};
  const test::RequestOutcome outcome = test::deliver_request({request}, limits);
  require(!outcome.error && outcome.size == request.size());
  require(outcome.head.authority == url->authority && outcome.head.form == http::TargetForm::origin);
  require(outcome.head.fields.size() == 1);
}

void run(std::string_view input) {
  const test::ExactBlock block(input);
  const std::string_view text = block.octets().substr(0, input.find('\n'));
  const std::string_view reference = block.octets().substr(std::min(text.size() + 1, input.size()));
  for (const std::string_view line : {text, reference}) {
    if (const Result<UriView> uri = http::parse_uri_reference(line)) require_parts(*uri, line);
    run_path(line);
    run_http_url(line);
  }
  run_uri(text, reference);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
