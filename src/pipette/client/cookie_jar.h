// CookieJar: what servers have set, and what each is given back.
//
//   CookieJar jar;
//   jar.set("https://shop.example/cart", "sid=31d4; Path=/; Secure", now);
//   jar.append_cookie_field("https://shop.example/pay", now, out);          // "sid=31d4"
//
//   Set-Cookie --> set(url) --> domain, path, name --> append_cookie_field(url) --> Cookie
//                  may it?                             whom is it for?
//
// Host      A cookie goes back to the host that has set it, and with Domain also to every name below that domain. The
//           domain is the host or a name above it, and no public suffix (public_suffixes.h; a name without a dot always
//           counts as one); such a suffix may set cookies for itself alone. Nothing is above or below an address, nor
//           a name whose last label is a number, which some resolvers take for an address. Hosts are compared octet
//           for octet but for the case of ASCII: names in other scripts come as A-labels, "a.example." is not
//           "a.example".
// Path      That of the cookie, or else of the URL up to its last "/", and what is below; percent signs stay.
// Secure    Set over https and sent over https, and loopback is no exception. What comes over http neither replaces
//           such a cookie nor hides it behind one of the same name.
// SameSite  A program's own calls come from no other site: each is same-site, and first-party. SameSite, Partitioned
//           and HttpOnly hold nothing back here.
// Time      `now` is told, never asked for; what has expired by then goes. An end is 400 days away at most; a cookie
//           without one stays until clear_session().
// Order     In a field: longer paths first, then what was created earlier; a cookie that is set again keeps its time of
//           creation. Equal times: the one that was set first.
//
// A file of cookies has the format of Netscape's cookies.txt, as curl reads and writes it: seven columns, tabs between
// them, "#HttpOnly_" in front of those that have it. It keeps neither times of creation, only their order, nor
// SameSite; cookies of the session are in it, with 0 for an end. Its reader is its owner's: it goes by the lines,
// whatever Secure cookie they replace, and takes each that set() could have led to.
//
// Bounded   by the options. What is too many goes in the order of RFC 6265bis: what has expired; of a domain with too
//           many the one used least lately, those without Secure first; of all the one used least lately. Used is what
//           was set, or appended to a field.
// Spec      RFC 6265bis §5.1.2-§5.1.4 (hosts, paths), §5.5 (400 days), §5.7 (storing), §5.8 (retrieving). Of what it
//           allows to ignore: a tab in a name, a value or a path; a value with "=" and no name; a host of more than
//           255 octets; a path of more than kMaxCookieAttributeBytes.
// Errors    bad_uri, unsupported_scheme: the URL. bad_cookie: malformed, or too large. unsafe_cookie: the URL may not
//           set it, or it lacks what its name or its attributes demand. Nothing has changed then.
// Lifetime  StoredCookie: views into the jar, until it is next used.
// Units     octets.        Threads  one a jar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/result.h"
#include "pipette/base/time.h"
#include "pipette/client/public_suffixes.h"
#include "pipette/http/fields.h"
#include "pipette/http/set_cookie.h"
#include "pipette/http/uri.h"

namespace pipette::client {

struct CookieJarOptions {
  std::size_t max_cookies = 3000;
  std::size_t max_cookies_per_domain = 50;
  std::size_t max_bytes = 4 * 1024 * 1024;          // names, values, domains and paths of all
  std::size_t max_field_bytes = 8 * 1024;           // a Cookie field; many servers read no more. The rest is left out.
  const PublicSuffixes* public_suffixes = nullptr;  // outlives the jar; nullptr: the built-in list
};

struct StoredCookie {
  std::string_view name;
  std::string_view value;
  std::string_view domain;  // in lower case, without a dot in front
  std::string_view path;
  std::optional<WallTime> expires;  // nothing: with the session
  WallTime created;
  http::SameSite same_site = http::SameSite::unset;
  bool host_only = false;
  bool secure = false;
  bool http_only = false;
};

// What became of a text of cookies.
struct CookieLoad {
  struct Refusal {
    std::size_t line;      // from 1
    std::string_view why;  // constant text
  };
  static constexpr std::size_t kMaxRefusals = 32;

  std::size_t accepted = 0;  // lines with a cookie, expired ones too
  std::size_t refused = 0;
  std::vector<Refusal> refusals;  // the first kMaxRefusals
};

class CookieJar {
 public:
  CookieJar() : CookieJar(CookieJarOptions()) {}
  explicit CookieJar(const CookieJarOptions& options);
  CookieJar(const CookieJar&) = delete;
  CookieJar& operator=(const CookieJar&) = delete;

  // Takes what a response to a call of `url` says in one Set-Cookie field. An end in the past takes the cookie away.
  Result<void> set(const http::HttpUrl& url, const http::SetCookie& cookie, WallTime now);
  Result<void> set(const http::HttpUrl& url, std::string_view set_cookie, WallTime now);
  Result<void> set(std::string_view url, const http::SetCookie& cookie, WallTime now);
  Result<void> set(std::string_view url, std::string_view set_cookie, WallTime now);
  // Each Set-Cookie field of a response; those that are refused are passed over. How many were not.
  std::size_t set_all(const http::HttpUrl& url, const http::Fields& response, WallTime now);

  // Appends the value of the Cookie field for a call of `url`: nothing when there are none for it. When `out` has
  // cookies already, these go behind them, and `max_field_bytes` counts both.
  void append_cookie_field(const http::HttpUrl& url, WallTime now, std::string& out);
  Result<void> append_cookie_field(std::string_view url, WallTime now, std::string& out);

  // Those of that field, all of them; looking is not using.
  std::vector<StoredCookie> cookies(const http::HttpUrl& url, WallTime now);
  Result<std::vector<StoredCookie>> cookies(std::string_view url, WallTime now);
  // In the order of their creation.
  std::vector<StoredCookie> all(WallTime now);
  // With those that have expired unnoticed.
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }

  // How many have gone. Two cookies may differ in nothing but host_only. The texts may be a StoredCookie's.
  std::size_t remove(std::string_view domain, std::string_view path, std::string_view name);
  // Those of that very domain.
  std::size_t remove_domain(std::string_view domain);
  std::size_t remove_expired(WallTime now);
  // The session is over: those without an end go.
  std::size_t clear_session();
  void clear();

  // Appends all as a file, which load() makes the same cookies of.
  void save(WallTime now, std::string& out);
  // Adds the cookies of such a file. A line that is refused costs no other; which were refused is in the result.
  CookieLoad load(std::string_view text, WallTime now);

 private:
  struct Entry {
    std::string name;
    std::string value;
    std::string path;
    std::optional<WallTime> expires;
    WallTime created;
    std::uint64_t number = 0;  // of its creation
    std::uint64_t used = 0;    // when it was last used, in uses of the jar
    http::SameSite same_site = http::SameSite::unset;
    bool host_only = false;
    bool secure = false;
    bool http_only = false;

    bool has_expired(WallTime now) const { return expires && *expires <= now; }
    // To be ordered by; no two are equal.
    std::pair<WallTime, std::uint64_t> creation() const { return {created, number}; }
    std::pair<std::uint64_t, std::uint64_t> last_use() const { return {used, number}; }
  };
  using Entries = std::vector<Entry>;
  using Domains = std::map<std::string, Entries, std::less<>>;
  using Domain = Domains::value_type;

  struct Scope {
    std::string_view domain;
    bool host_only = true;
  };
  struct Found {
    std::string_view domain;
    Entry* entry;
  };

  bool is_public_suffix(std::string_view domain) const;
  Result<Scope> scope_of(std::string_view attribute, std::string_view host) const;
  Result<void> check(const http::SetCookie& cookie, std::string_view path);
  bool hides_secure_cookie(std::string_view domain, std::string_view path, std::string_view name, WallTime now) const;
  void put(const Scope& scope, std::string_view path, const http::SetCookie& cookie, WallTime now);

  static std::size_t bytes_of(std::string_view domain, const Entry& entry);
  void count(std::string_view domain, const Entry& entry);
  void uncount(std::string_view domain, const Entry& entry);
  void make_room(Domains::iterator domain, WallTime now);
  void evict_from(Domain& domain);
  void evict_least_used();
  void erase(Domain& domain, Entries::iterator entry);
  // Call is_unwanted(domain, entry) for each.
  template <class Predicate>
  std::size_t erase_if(Domain& domain, Predicate&& is_unwanted);
  template <class Predicate>
  std::size_t erase_everywhere_if(Predicate&& is_unwanted);

  void find(const http::HttpUrl& url, WallTime now);
  void find_in(std::string_view domain, const http::HttpUrl& url, WallTime now);
  std::vector<StoredCookie> found() const;
  std::string_view load_line(std::string_view line, WallTime now);

  CookieJarOptions options_;
  Domains domains_;  // none is empty
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t created_ = 0;
  std::uint64_t uses_ = 0;
  std::vector<Found> found_;  // by the last look
  std::string host_;          // of the URL in hand, in lower case
  std::string scratch_;       // what a cookie would be sent as
};

}  // namespace pipette::client
