// URIs: taken apart, put together, resolved and normalized.
//
//   http://user@app:8080/a/b?q=1#top
//   scheme  userinfo host port  path  query  fragment         authority: user@app:8080 · target: /a/b?q=1
//
//   parse_uri(text), parse_uri_reference(text)  --> UriView   any scheme; views, no memory
//   parse_http_url(text)                        --> HttpUrl   what a client calls; views, no memory
//   Uri                                                       owns its text; parts can be changed
//
// Strict: the octets of RFC 3986 and no other, each "%" with two hex digits behind it, a port up to 65535, hosts as
// host.h has them: IPv4, IPv6 and names, neither zone identifiers nor IPvFuture, which nobody has ever defined; at most
// kMaxUriBytes.
//
// Spec      RFC 3986 §3 (syntax), §5.2 (resolving), §6.2.2-§6.2.3 (normalizing); RFC 9110 §4.2 (http and https).
// Errors    Errc::bad_uri; unsupported_scheme from parse_http_url(). What is refused changes nothing.
// Lifetime  UriView and HttpUrl: views into the text that was parsed. Views of a Uri: until it is changed or moved;
// what
//           was moved from is empty.
// Units     octets.        Threads  one a Uri.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/base/result.h"
#include "pipette/http/args.h"

namespace pipette::http {

inline constexpr std::size_t kMaxUriBytes = 1024 * 1024;

// What is absent is nullopt, which is not the same as empty: "http://a?" has an empty query. A path is never absent.
struct UriView {
  std::string_view scheme;                    // empty: a relative reference
  std::optional<std::string_view> authority;  // userinfo, host and port, as written
  std::optional<std::string_view> userinfo;   // without its "@"
  std::string_view host;                      // an IPv6 address keeps its brackets; may be empty
  std::optional<std::string_view> port;       // digits, perhaps none
  std::string_view path;
  std::optional<std::string_view> query;     // without its "?"
  std::optional<std::string_view> fragment;  // without its "#"

  bool is_relative() const { return scheme.empty(); }
};

namespace internal {

inline constexpr std::uint32_t kAbsent = UINT32_MAX;

// A part of a text, as offsets: they stay good when the text is copied.
struct Span {
  std::uint32_t at = 0;
  std::uint32_t size = kAbsent;

  bool is_there() const { return size != kAbsent; }
  std::string_view in(std::string_view text) const { return is_there() ? text.substr(at, size) : std::string_view(); }
  std::optional<std::string_view> part_of(std::string_view text) const {
    return is_there() ? std::optional(text.substr(at, size)) : std::nullopt;
  }
};

struct UriSpans {
  Span scheme, authority, userinfo, host, port, path, query, fragment;
  bool path_is_plain = true;
};

}  // namespace internal

// With a scheme.
Result<UriView> parse_uri(std::string_view text);
// With one, or relative to some other URI.
Result<UriView> parse_uri_reference(std::string_view text);

// 80 and 443 for http and https in any case; 0 for others.
std::uint16_t default_port(std::string_view scheme);

// ---- what a client calls

// An http or https URI. Userinfo is refused (RFC 9110 §4.2.4), a fragment is dropped. Brackets in a path or a query
// must be written %5B and %5D, as servers that go by RFC 3986 want them.
struct HttpUrl {
  bool is_https = false;
  std::string_view authority;  // host with its port, as written: what a Host field says
  std::string_view host;       // without its port; an IPv6 address keeps its brackets
  std::uint16_t port = 0;
  std::string_view target;  // path and query; may lack its leading "/" (see target_prefix)

  // "/" when `target` is empty or begins with "?", else "".
  std::string_view target_prefix() const { return target.starts_with('/') ? "" : "/"; }
};

Result<HttpUrl> parse_http_url(std::string_view text);

// `url`, whose views point into the text at `from`, with views into an equal text at `to`.
HttpUrl moved(const HttpUrl& url, const char* from, const char* to);

// Whether `target` can be sent in a request line: visible octets that RFC 3986 allows, valid percent signs, no %00.
bool is_target(std::string_view target);

// ---- paths

// Appends the path that `raw` means: percent signs decoded once, then dot segments removed, so that "%2e%2e" and
// "..%2f" go the way of "../" and nothing climbs above the root. Empty segments stay. A decoded "%2F" is a "/" like any
// other; who must tell them apart looks at `raw`. bad_uri, and nothing appended, for %00 and malformed percent signs.
Result<void> append_path(std::string_view raw, std::string& out);
// Whether append_path() would append `raw` as it is.
bool is_plain_path(std::string_view raw);

// ---- a URI to keep and to change

// Empty at first, and after clear(). The setters take parts as they are written in a URI, encoded (percent.h encodes),
// and refuse octets outside the part's grammar and parts that do not go together, such as a path "//a" without an
// authority. nullopt removes a part.
class Uri {
 public:
  Uri() = default;
  Uri(const Uri& other) = default;
  Uri& operator=(const Uri& other) = default;
  Uri(Uri&& other) noexcept { *this = std::move(other); }
  Uri& operator=(Uri&& other) noexcept;

  // A URI with a scheme. A path with %00 is refused.
  Result<void> parse(std::string_view text);
  // The URI that a request is for: `target` as in a request line, absolute or beginning with "/", or "*"; `host` as in
  // a Host field, for a target that has none (RFC 9110 §7.1). Here a target may have a fragment, but not the brackets
  // that request lines may have as they are.
  Result<void> parse(std::string_view host, std::string_view target, std::string_view scheme = "http");
  // Becomes what `reference` means when it is met in this URI (RFC 3986 §5.2).
  Result<void> resolve(std::string_view reference);
  // Scheme and host in lower case, percent signs only where needed and in upper case, no dot segments, no default or
  // empty port, "/" for an empty path behind an authority (RFC 3986 §6.2.2, §6.2.3); that "/" may exceed kMaxUriBytes.
  void normalize();
  // Keeps its memory.
  void clear();

  std::string_view full_uri() const { return text_; }
  std::string_view scheme() const { return spans_.scheme.in(text_); }
  bool is_https() const;
  std::optional<std::string_view> authority() const { return spans_.authority.part_of(text_); }
  std::optional<std::string_view> userinfo() const { return spans_.userinfo.part_of(text_); }
  std::string_view host() const { return spans_.host.in(text_); }
  // The scheme's default when none is written; 0 when it has none.
  std::uint16_t port() const;
  // As append_path() says; "/" for an empty path behind an authority.
  std::string_view path() const { return spans_.path_is_plain ? plain_path() : std::string_view(path_); }
  std::string_view path_original() const { return spans_.path.in(text_); }
  // Of path(), behind its last "/".
  std::string_view last_path_segment() const;
  std::optional<std::string_view> query() const { return spans_.query.part_of(text_); }
  // The query's pairs, parsed when they are first asked for; never null. too_many_args.
  Result<const Args*> query_args();
  std::optional<std::string_view> fragment() const { return spans_.fragment.part_of(text_); }
  // Path and query as a request line has them: "/" for an empty path, no fragment (RFC 9112 §3.2.1).
  void append_request_target(std::string& out) const;
  std::string request_target() const;
  // All of it, views into this.
  UriView parts() const;

  Result<void> set_scheme(std::string_view scheme);
  Result<void> set_userinfo(std::optional<std::string_view> userinfo);
  // Without a port. Removing it removes the authority.
  Result<void> set_host(std::optional<std::string_view> host);
  Result<void> set_port(std::optional<std::uint16_t> port);
  Result<void> set_path(std::string_view path);
  Result<void> set_query(std::optional<std::string_view> query);
  Result<void> set_query(const Args& args);
  Result<void> set_fragment(std::optional<std::string_view> fragment);

  // The same octets; normalize() first to compare what they mean.
  friend bool operator==(const Uri& a, const Uri& b) { return a.text_ == b.text_; }

 private:
  std::string_view plain_path() const;

  Result<void> assign(const UriView& parts);
  Result<void> adopt(const internal::UriSpans& spans);

  std::string text_;
  internal::UriSpans spans_;
  bool args_are_parsed_ = false;
  std::string path_;     // decoded, when that is not what is written
  std::string scratch_;  // what the next text is made in
  Args args_;
};

}  // namespace pipette::http
