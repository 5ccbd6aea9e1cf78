#include "pipette/client/cookie_jar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <expected>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/http/cookie.h"
#include "pipette/http/host.h"

namespace pipette::client {
namespace {

using http::HttpUrl;
using http::SetCookie;

constexpr std::size_t kMaxHostBytes = 255;  // of a name in the DNS, RFC 1035 §2.3.4

// ---- hosts -----------------------------------------------------------------------------------------------

void assign_lower(std::string& to, std::string_view text) {
  to.assign(text);
  ascii::make_lower(to);
}

// As in a URL, without a port. None begins with a dot, which in a file says something else.
bool is_bare_host(std::string_view text) {
  if (text.size() > kMaxHostBytes || text.starts_with('.')) return false;
  return http::is_host(text) && (text.ends_with(']') || !text.contains(':'));
}

// "127.0.0.1", but also "127.1" and "0x7f000001": getaddrinfo() takes all of them for addresses.
bool is_number(std::string_view label) {
  const bool is_hex = label.starts_with("0x");
  if (is_hex) label.remove_prefix(2);
  return std::ranges::all_of(label, is_hex ? ascii::is_hex_digit : ascii::is_digit);
}

// Whether `host`, in lower case, can have names above and below it. A dot at its end stands for the root.
bool is_name(std::string_view host) {
  if (host.starts_with('[') || host.contains("..")) return false;
  if (host.ends_with('.')) host.remove_suffix(1);
  return !is_number(host.substr(host.rfind('.') + 1));
}

bool is_below(std::string_view host, std::string_view domain) {
  if (!host.ends_with(domain) || host.size() < domain.size() + 2) return false;
  return host[host.size() - domain.size() - 1] == '.' && is_name(host);
}

// RFC 6265bis §5.1.3.
bool domain_matches(std::string_view host, std::string_view domain) { return host == domain || is_below(host, domain); }

// ---- paths -----------------------------------------------------------------------------------------------

std::string_view path_of(const HttpUrl& url) {
  return url.target.starts_with('/') ? url.target.substr(0, url.target.find('?')) : "/";
}

// RFC 6265bis §5.1.4.
std::string_view default_path(const HttpUrl& url) {
  const std::string_view path = path_of(url);
  return path.substr(0, std::max(path.rfind('/'), std::size_t{1}));
}

bool path_matches(std::string_view path, std::string_view cookie_path) {
  if (!path.starts_with(cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.ends_with('/') || path[cookie_path.size()] == '/';
}

// ---- files -----------------------------------------------------------------------------------------------

constexpr std::string_view kHttpOnlyPrefix = "#HttpOnly_";
constexpr std::string_view kFileHead =
    "# Netscape HTTP Cookie File\n"
    "# domain, whether names below it too, path, whether over https only, end, name, value\n";

constexpr std::size_t kColumns = 7;
using Columns = std::array<std::string_view, kColumns>;

std::optional<Columns> take_apart(std::string_view line) {
  Columns columns;
  for (std::size_t i = 0; i + 1 < kColumns; ++i) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return std::nullopt;
    columns[i] = line.substr(0, tab);
    line.remove_prefix(tab + 1);
  }
  if (line.contains('\t')) return std::nullopt;
  columns.back() = line;
  return columns;
}

std::optional<bool> parse_flag(std::string_view text) {
  if (ascii::equal_ignoring_case(text, "true")) return true;
  if (ascii::equal_ignoring_case(text, "false")) return false;
  return std::nullopt;
}

std::string_view flag(bool is_set) { return is_set ? "TRUE" : "FALSE"; }

// What is too far away to be counted in nanoseconds is too far away for any cookie.
WallTime moment_of(std::uint64_t unix_seconds) {
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max().time_since_epoch());
  if (unix_seconds > static_cast<std::uint64_t>(kLast.count())) return WallTime::max();
  return WallTime(std::chrono::seconds(unix_seconds));
}

std::int64_t unix_seconds_of(WallTime moment) {
  return std::chrono::floor<std::chrono::seconds>(moment.time_since_epoch()).count();
}

void append_decimal(std::int64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(std::begin(digits), std::end(digits), number).ptr);
}

// Whole seconds, never later than the end itself. One that would look like no end at all is not written.
void append_line(const StoredCookie& cookie, std::string& out) {
  const std::int64_t end = cookie.expires ? unix_seconds_of(*cookie.expires) : 0;
  if (cookie.expires && end <= 0) return;
  if (cookie.http_only) out.append(kHttpOnlyPrefix);
  out.append(cookie.host_only ? "" : ".").append(cookie.domain).append("\t");
  out.append(flag(!cookie.host_only)).append("\t");
  out.append(cookie.path).append("\t");
  out.append(flag(cookie.secure)).append("\t");
  append_decimal(end, out);
  out.append("\t").append(cookie.name).append("\t").append(cookie.value).append("\n");
}

// The domain goes into `host`, in lower case; that of the cookie is empty if it is for the host only. Or why there is
// none.
std::expected<SetCookie, std::string_view> read_line(std::string_view line, std::string& host) {
  SetCookie cookie;
  cookie.http_only = line.starts_with(kHttpOnlyPrefix);
  if (cookie.http_only) line.remove_prefix(kHttpOnlyPrefix.size());
  const auto columns = take_apart(line);
  if (!columns) return std::unexpected("not seven columns with tabs between them");
  const auto [domain, below, path, secure, end, name, value] = *columns;

  const auto has_below = parse_flag(below);
  if (!has_below) return std::unexpected("column 2, names below the domain: neither TRUE nor FALSE");
  if (!path.starts_with('/')) return std::unexpected("column 3, path: does not begin with \"/\"");
  const auto is_secure = parse_flag(secure);
  if (!is_secure) return std::unexpected("column 4, https only: neither TRUE nor FALSE");
  const auto seconds = ascii::parse_decimal(end);
  if (!seconds) return std::unexpected("column 5, end: not a number of seconds");

  assign_lower(host, domain.substr(*has_below && domain.starts_with('.') ? 1 : 0));
  cookie.name = name;
  cookie.value = value;
  if (*seconds != 0) cookie.expires = moment_of(*seconds);
  if (*has_below) cookie.domain = host;
  cookie.path = path;
  cookie.secure = *is_secure;
  return cookie;
}

}  // namespace

CookieJar::CookieJar(const CookieJarOptions& options) : options_(options) {
  if (options_.public_suffixes == nullptr) options_.public_suffixes = &builtin_public_suffixes();
}

// ---- storing, RFC 6265bis §5.7 ---------------------------------------------------------------------------

Result<void> CookieJar::set(const HttpUrl& url, const SetCookie& cookie, WallTime now) {
  if (!is_bare_host(url.host)) return fail(Errc::bad_uri);
  assign_lower(host_, url.host);
  const std::string_view path = cookie.path.empty() ? default_path(url) : cookie.path;
  if (const Result<void> checked = check(cookie, path); !checked) return checked;
  const Result<Scope> scope = scope_of(cookie.domain, host_);  // steps 7-10
  if (!scope) return fail(scope.error());
  if (!url.is_https && cookie.secure) return fail(Errc::unsafe_cookie);  // step 13
  if (!url.is_https && hides_secure_cookie(scope->domain, path, cookie.name, now)) return fail(Errc::unsafe_cookie);
  put(*scope, path, cookie, now);
  return {};
}

Result<void> CookieJar::set(const HttpUrl& url, std::string_view set_cookie, WallTime now) {
  const Result<SetCookie> cookie = http::parse_set_cookie(set_cookie);
  if (!cookie) return fail(cookie.error());
  return set(url, *cookie, now);
}

Result<void> CookieJar::set(std::string_view url, const SetCookie& cookie, WallTime now) {
  const Result<HttpUrl> parsed = http::parse_http_url(url);
  if (!parsed) return fail(parsed.error());
  return set(*parsed, cookie, now);
}

Result<void> CookieJar::set(std::string_view url, std::string_view set_cookie, WallTime now) {
  const Result<HttpUrl> parsed = http::parse_http_url(url);
  if (!parsed) return fail(parsed.error());
  return set(*parsed, set_cookie, now);
}

std::size_t CookieJar::set_all(const HttpUrl& url, const http::Fields& response, WallTime now) {
  std::size_t kept = 0;
  response.for_each(http::FieldName::set_cookie, [&](std::string_view value) {
    if (set(url, value, now)) ++kept;
  });
  return kept;
}

// What can neither be given back as it came nor be written into a file is not kept. Most has been looked at by
// parse_set_cookie(), but a caller's own cookies and those of files have not.
Result<void> CookieJar::check(const SetCookie& cookie, std::string_view path) {
  const std::size_t size = cookie.name.size() + cookie.value.size();
  if (size > http::kMaxCookieBytes || cookie.name.contains('\t') || cookie.value.contains('\t')) {
    return fail(Errc::bad_cookie);
  }
  if (!path.starts_with('/') || path.size() > http::kMaxCookieAttributeBytes || !ascii::is_value(path) ||
      path.contains('\t')) {
    return fail(Errc::bad_cookie);
  }
  scratch_.clear();
  const http::Cookie pair{cookie.name, cookie.value};
  if (const Result<void> sent = http::append_received_cookie(scratch_, pair); !sent) return sent;
  if (!http::is_safe(cookie)) return fail(Errc::unsafe_cookie);
  return {};
}

bool CookieJar::is_public_suffix(std::string_view domain) const {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return !domain.contains('.') || options_.public_suffixes->contains(domain);
}

// The views are into `host`, which is in lower case.
Result<CookieJar::Scope> CookieJar::scope_of(std::string_view attribute, std::string_view host) const {
  if (attribute.empty()) return Scope{host, true};
  if (attribute.size() > host.size()) return fail(Errc::unsafe_cookie);
  const std::string_view domain = host.substr(host.size() - attribute.size());
  if (!ascii::equal_ignoring_case(domain, attribute)) return fail(Errc::unsafe_cookie);
  const bool is_host = domain.size() == host.size();
  if (!is_host && !is_below(host, domain)) return fail(Errc::unsafe_cookie);
  const bool is_shared = is_name(host) && !is_public_suffix(domain);
  if (!is_host && !is_shared) return fail(Errc::unsafe_cookie);  // step 9
  return Scope{domain, !is_shared};
}

// Step 16. The paths are compared in one direction only: a plain cookie for "/" does not hide one for "/login".
bool CookieJar::hides_secure_cookie(std::string_view domain, std::string_view path, std::string_view name,
                                    WallTime now) const {
  const auto is_hidden = [&](const Entry& entry) {
    return entry.secure && entry.name == name && path_matches(path, entry.path) && !entry.has_expired(now);
  };
  return std::ranges::any_of(domains_, [&](const auto& other) {
    const bool is_related = domain_matches(domain, other.first) || domain_matches(other.first, domain);
    return is_related && std::ranges::any_of(other.second, is_hidden);
  });
}

// Steps 5, 6, 23 and 24. What has expired takes the old one away and leaves nothing.
void CookieJar::put(const Scope& scope, std::string_view path, const SetCookie& cookie, WallTime now) {
  Entry entry{.name = std::string(cookie.name),
              .value = std::string(cookie.value),
              .path = std::string(path),
              .expires = cookie.expiry_at(now),
              .created = now,
              .number = ++created_,
              .used = ++uses_,
              .same_site = cookie.same_site,
              .host_only = scope.host_only,
              .secure = cookie.secure,
              .http_only = cookie.http_only};
  const auto domain = domains_.try_emplace(std::string(scope.domain)).first;
  Entries& entries = domain->second;
  const auto old = std::ranges::find_if(entries, [&](const Entry& other) {
    return other.name == entry.name && other.path == entry.path && other.host_only == entry.host_only;
  });
  if (old != entries.end()) {
    entry.created = old->created;
    entry.number = old->number;
    uncount(domain->first, *old);
    entries.erase(old);
  }
  if (!entry.has_expired(now)) {
    count(domain->first, entry);
    entries.push_back(std::move(entry));
  }
  make_room(domain, now);
}

// ---- too many, RFC 6265bis §5.7 --------------------------------------------------------------------------

std::size_t CookieJar::bytes_of(std::string_view domain, const Entry& entry) {
  return domain.size() + entry.name.size() + entry.value.size() + entry.path.size();
}

void CookieJar::count(std::string_view domain, const Entry& entry) {
  ++size_;
  bytes_ += bytes_of(domain, entry);
}

void CookieJar::uncount(std::string_view domain, const Entry& entry) {
  --size_;
  bytes_ -= bytes_of(domain, entry);
}

// Once a cookie has been put into `domain`, which goes if it is empty.
void CookieJar::make_room(Domains::iterator domain, WallTime now) {
  const auto has_expired = [now](std::string_view, const Entry& entry) { return entry.has_expired(now); };
  const std::size_t most = options_.max_cookies_per_domain;
  if (domain->second.size() > most) erase_if(*domain, has_expired);
  while (domain->second.size() > most) evict_from(*domain);
  if (domain->second.empty()) domains_.erase(domain);

  const auto are_too_many = [this] { return size_ > options_.max_cookies || bytes_ > options_.max_bytes; };
  if (are_too_many()) remove_expired(now);
  while (are_too_many()) evict_least_used();
}

// TODO(perf): a full jar looks at every cookie whenever one is added: a list in the order of use would not.
void CookieJar::evict_least_used() {
  const auto least_of = [](const Entries& entries) {
    const Entry& least = *std::ranges::min_element(entries, {}, &Entry::last_use);
    return least.last_use();
  };
  const auto domain =
      std::ranges::min_element(domains_, {}, [&](const auto& candidate) { return least_of(candidate.second); });
  erase(*domain, std::ranges::min_element(domain->second, {}, &Entry::last_use));
  if (domain->second.empty()) domains_.erase(domain);
}

// Priorities 2 and 3.
void CookieJar::evict_from(Domain& domain) {
  const auto priority = [](const Entry& entry) { return std::pair(entry.secure, entry.last_use()); };
  erase(domain, std::ranges::min_element(domain.second, {}, priority));
}

void CookieJar::erase(Domain& domain, Entries::iterator entry) {
  uncount(domain.first, *entry);
  domain.second.erase(entry);
}

template <class Predicate>
std::size_t CookieJar::erase_if(Domain& domain, Predicate&& is_unwanted) {
  return std::erase_if(domain.second, [&](const Entry& entry) {
    if (!is_unwanted(domain.first, entry)) return false;
    uncount(domain.first, entry);
    return true;
  });
}

template <class Predicate>
std::size_t CookieJar::erase_everywhere_if(Predicate&& is_unwanted) {
  std::size_t erased = 0;
  for (Domain& domain : domains_) erased += erase_if(domain, is_unwanted);
  std::erase_if(domains_, [](const Domain& domain) { return domain.second.empty(); });
  return erased;
}

std::size_t CookieJar::remove(std::string_view domain, std::string_view path, std::string_view name) {
  // Copies: they may be those of the very cookie.
  return erase_everywhere_if(
      [&, path = std::string(path), name = std::string(name)](std::string_view in, const Entry& entry) {
        return ascii::equal_ignoring_case(in, domain) && entry.path == path && entry.name == name;
      });
}

std::size_t CookieJar::remove_domain(std::string_view domain) {
  return erase_everywhere_if([&](std::string_view in, const Entry&) { return ascii::equal_ignoring_case(in, domain); });
}

std::size_t CookieJar::remove_expired(WallTime now) {
  return erase_everywhere_if([now](std::string_view, const Entry& entry) { return entry.has_expired(now); });
}

std::size_t CookieJar::clear_session() {
  return erase_everywhere_if([](std::string_view, const Entry& entry) { return !entry.expires; });
}

void CookieJar::clear() {
  domains_.clear();
  size_ = bytes_ = 0;
}

// ---- retrieving, RFC 6265bis §5.8 ------------------------------------------------------------------------

void CookieJar::append_cookie_field(const HttpUrl& url, WallTime now, std::string& out) {
  find(url, now);
  ++uses_;
  for (const Found& found : found_) {
    const http::Cookie pair{found.entry->name, found.entry->value};
    const std::size_t before = out.size();
    if (!http::append_received_cookie(out, pair) || out.size() > options_.max_field_bytes) {
      out.resize(before);
      break;
    }
    found.entry->used = uses_;
  }
}

Result<void> CookieJar::append_cookie_field(std::string_view url, WallTime now, std::string& out) {
  const Result<HttpUrl> parsed = http::parse_http_url(url);
  if (!parsed) return fail(parsed.error());
  append_cookie_field(*parsed, now, out);
  return {};
}

std::vector<StoredCookie> CookieJar::cookies(const HttpUrl& url, WallTime now) {
  find(url, now);
  return found();
}

Result<std::vector<StoredCookie>> CookieJar::cookies(std::string_view url, WallTime now) {
  const Result<HttpUrl> parsed = http::parse_http_url(url);
  if (!parsed) return fail(parsed.error());
  return cookies(*parsed, now);
}

std::vector<StoredCookie> CookieJar::all(WallTime now) {
  remove_expired(now);
  found_.clear();
  for (Domain& domain : domains_) {
    for (Entry& entry : domain.second) found_.push_back({domain.first, &entry});
  }
  std::ranges::sort(found_, {}, [](const Found& found) { return found.entry->creation(); });
  return found();
}

// The host's own domain and each above it, as far up as a cookie can be set for.
void CookieJar::find(const HttpUrl& url, WallTime now) {
  found_.clear();
  if (url.host.size() > kMaxHostBytes) return;
  assign_lower(host_, url.host);
  find_in(host_, url, now);
  if (is_name(host_)) {
    std::string_view domain = host_;
    for (std::size_t dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.')) {
      domain.remove_prefix(dot + 1);
      find_in(domain, url, now);
    }
  }
  std::ranges::sort(found_, {}, [](const Found& found) {
    return std::pair(http::kMaxCookieAttributeBytes - found.entry->path.size(), found.entry->creation());
  });
}

void CookieJar::find_in(std::string_view domain, const HttpUrl& url, WallTime now) {
  const auto found = domains_.find(domain);
  if (found == domains_.end()) return;
  const bool is_host = domain.size() == host_.size();
  for (Entry& entry : found->second) {
    if (entry.host_only && !is_host) continue;
    if (entry.secure && !url.is_https) continue;
    if (entry.has_expired(now) || !path_matches(path_of(url), entry.path)) continue;
    found_.push_back({found->first, &entry});
  }
}

std::vector<StoredCookie> CookieJar::found() const {
  std::vector<StoredCookie> cookies;
  cookies.reserve(found_.size());
  for (const auto& [domain, entry] : found_) {
    cookies.push_back({.name = entry->name,
                       .value = entry->value,
                       .domain = domain,
                       .path = entry->path,
                       .expires = entry->expires,
                       .created = entry->created,
                       .same_site = entry->same_site,
                       .host_only = entry->host_only,
                       .secure = entry->secure,
                       .http_only = entry->http_only});
  }
  return cookies;
}

// ---- files -----------------------------------------------------------------------------------------------

void CookieJar::save(WallTime now, std::string& out) {
  out.append(kFileHead);
  for (const StoredCookie& cookie : all(now)) append_line(cookie, out);
}

CookieLoad CookieJar::load(std::string_view text, WallTime now) {
  CookieLoad load;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool is_comment = line.starts_with('#') && !line.starts_with(kHttpOnlyPrefix);
    if (is_comment || ascii::trim(line).empty()) continue;
    const std::string_view why = load_line(line, now);
    ++(why.empty() ? load.accepted : load.refused);
    if (!why.empty() && load.refusals.size() < CookieLoad::kMaxRefusals) load.refusals.push_back({number, why});
  }
  return load;
}

// Why there is no such cookie, or nothing.
std::string_view CookieJar::load_line(std::string_view line, WallTime now) {
  const auto cookie = read_line(line, host_);
  if (!cookie) return cookie.error();
  if (!is_bare_host(host_)) return "column 1, domain: not a host";
  const bool host_only = cookie->domain.empty();
  if (!host_only && (!is_name(host_) || is_public_suffix(host_))) {
    return "column 1, domain: an address or a public suffix, which no name below it shares cookies with";
  }
  const Result<void> checked = check(*cookie, cookie->path);
  if (!checked) return errc_row(errc_of(checked.error())).message;
  put({host_, host_only}, cookie->path, *cookie, now);
  return {};
}

}  // namespace pipette::client
