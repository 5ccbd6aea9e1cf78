// The client's cookie jar: a line of input is what a URL sets, or a line of a file. Whatever is in the jar then keeps
// its limits, goes to whom a slow reading of RFC 6265bis §5.8.3 says, and survives a file.
//
//   line    the first octet chooses the URL, or a file; the rest is a Set-Cookie field, or a line of the file
#include "pipette/client/cookie_jar.h"

#include <array>
#include <map>
#include <string>

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/splits.h"

namespace pipette::fuzz {
namespace {

class Suffixes final : public client::PublicSuffixes {
 public:
  bool contains(std::string_view domain) const override { return domain == "co.uk"; }
};

const Suffixes kSuffixes;
const client::CookieJarOptions kOptions{.max_cookies = 12,
                                        .max_cookies_per_domain = 4,
                                        .max_bytes = 1024,
                                        .max_field_bytes = 200,
                                        .public_suffixes = &kSuffixes};

constexpr std::array<std::string_view, 12> kUrls = {
    "http://x.org",     "https://x.org/",         "http://www.x.org/a/b",  "https://www.x.org/a/b?q",
    "http://x.co.uk/a", "https://co.uk/",         "http://localhost/a/",   "https://127.0.0.1/a/b/c",
    "http://[::1]/",    "https://x.org./%61/b/c", "https://www.x.co.uk//", "http://1.x.0x7f/",
};

constexpr WallTime at(int second) { return WallTime(std::chrono::seconds(1'800'000'000 + second)); }

bool is_matched(const client::StoredCookie& cookie, const http::HttpUrl& url) {
  const std::string host(url.host);  // those above are in lower case
  const std::string domain(cookie.domain);
  const bool is_below = ("." + host).ends_with("." + domain) && !cookie.host_only;
  if (host != domain && !is_below) return false;
  if (cookie.secure && !url.is_https) return false;
  std::string path = std::string(url.target.substr(0, url.target.find('?')));
  if (path.empty()) path = "/";
  std::string above(cookie.path);
  if (path == above) return true;
  if (!above.ends_with('/')) above += '/';
  return path.starts_with(above);
}

void require_retrieved(client::CookieJar& jar, std::string_view text, WallTime now) {
  const http::HttpUrl url = *http::parse_http_url(text);
  std::size_t matched = 0;
  for (const client::StoredCookie& cookie : jar.all(now)) matched += is_matched(cookie, url) ? 1 : 0;
  std::string whole;
  std::size_t last_path = SIZE_MAX;
  const auto cookies = jar.cookies(url, now);
  require(cookies.size() == matched);
  for (const client::StoredCookie& cookie : cookies) {
    require(cookie.path.size() <= last_path);
    last_path = cookie.path.size();
    whole.append(whole.empty() ? "" : "; ").append(cookie.name).append(cookie.name.empty() ? "" : "=");
    whole.append(cookie.value);
  }
  std::string field;
  jar.append_cookie_field(url, now, field);
  require(field.size() <= kOptions.max_field_bytes && whole.starts_with(field));
  require(whole.size() > kOptions.max_field_bytes || field == whole);
  require_text(field);
}

void require_limits(client::CookieJar& jar, WallTime now) {
  std::size_t bytes = 0;
  std::map<std::string_view, std::size_t> domains;
  const auto cookies = jar.all(now);
  for (const client::StoredCookie& cookie : cookies) {
    bytes += cookie.name.size() + cookie.value.size() + cookie.domain.size() + cookie.path.size();
    require(++domains[cookie.domain] <= kOptions.max_cookies_per_domain);
    require(!cookie.expires || (*cookie.expires > now && *cookie.expires <= at(0) + std::chrono::days(401)));
    require(cookie.host_only || cookie.domain.contains('.'));
    require(cookie.host_only || cookie.domain != "co.uk");
    require(!cookie.name.starts_with("__Host-") || (cookie.host_only && cookie.secure && cookie.path == "/"));
    require(!cookie.name.starts_with("__Secure-") || cookie.secure);
  }
  require(cookies.size() == jar.size() && bytes == jar.bytes());
  require(jar.size() <= kOptions.max_cookies && bytes <= kOptions.max_bytes);
}

void require_survival(client::CookieJar& jar, WallTime now) {
  std::string text;
  jar.save(now, text);
  const test::ExactBlock block(text);
  client::CookieJar other(kOptions);
  const client::CookieLoad load = other.load(block.octets(), now);
  require(load.refused == 0 && load.accepted == jar.size());
  std::string again;
  other.save(now, again);
  require(again == text);
}

void run(std::string_view text) {
  client::CookieJar jar(kOptions);
  int second = 0;
  while (!text.empty() && second < 64) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    const auto choice = static_cast<unsigned char>(line.front()) % (kUrls.size() + 2);
    const test::ExactBlock block(line.substr(1));
    if (choice < kUrls.size()) {
      const Result<void> done = jar.set(kUrls[choice], block.octets(), at(second));
      require(done || done.error() == Errc::bad_cookie || done.error() == Errc::unsafe_cookie);
    } else {
      const client::CookieLoad load = jar.load(block.octets(), at(second));
      require(load.accepted + load.refused <= 1 && load.refusals.size() == load.refused);
    }
    require_limits(jar, at(second));
    second += 1;
  }
  for (const std::string_view url : kUrls) require_retrieved(jar, url, at(second));
  require_survival(jar, at(second));
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
