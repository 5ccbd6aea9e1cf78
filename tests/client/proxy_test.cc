// What the URL of a proxy says, and which requests go through which.
#include "pipette/client/proxy.h"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>

#include "pipette/lab/matchers.h"

#include "tests/support/printers.h"

namespace pipette::client {
namespace {

using Kind = Proxy::Kind;

// ---- one proxy ---------------------------------------------------------------------------------------------

TEST(Proxy, IsWhatItsUrlSays) {
  struct Row {
    std::string_view url;
    Kind kind;
    std::string_view host;
    std::string_view text;
    std::string_view user = "";
    std::string_view password = "";
    std::string_view authorization = "";
  };
  constexpr Row kRows[] = {
      {"http://proxy", Kind::http, "proxy", "http://proxy:80"},
      {"http://proxy:3128/", Kind::http, "proxy", "http://proxy:3128"},
      {"proxy:3128", Kind::http, "proxy", "http://proxy:3128"},
      {"proxy", Kind::http, "proxy", "http://proxy:80"},
      {"10.0.0.1:8080", Kind::http, "10.0.0.1", "http://10.0.0.1:8080"},
      {"HTTPS://proxy", Kind::https, "proxy", "https://proxy:443"},
      {"https://proxy:", Kind::https, "proxy", "https://proxy:443"},
      {"http://[2001:db8::1]:8080", Kind::http, "2001:db8::1", "http://[2001:db8::1]:8080"},
      {"socks5://proxy", Kind::socks5, "proxy", "socks5://proxy:1080"},
      {"socks5h://proxy:1", Kind::socks5h, "proxy", "socks5h://proxy:1"},
      {"http://Aladdin:open%20sesame@proxy", Kind::http, "proxy", "http://proxy:80", "Aladdin", "open sesame",
       "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
      {"Aladdin:open%20sesame@proxy", Kind::http, "proxy", "http://proxy:80", "Aladdin", "open sesame",
       "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
      {"http://a:b:c@proxy", Kind::http, "proxy", "http://proxy:80", "a", "b:c", "Basic YTpiOmM="},
      {"http://a@proxy", Kind::http, "proxy", "http://proxy:80", "a", "", "Basic YTo="},
      {"socks5://a:%40%3A@proxy", Kind::socks5, "proxy", "socks5://proxy:1080", "a", "@:"},
  };
  for (const Row& row : kRows) {
    const Result<Proxy> proxy = Proxy::parse(row.url);
    ASSERT_TRUE(proxy) << row.url;
    EXPECT_EQ(proxy->kind(), row.kind) << row.url;
    EXPECT_EQ(proxy->host(), row.host) << row.url;
    EXPECT_EQ(proxy->to_string(), row.text) << "and no credentials";
    EXPECT_EQ(proxy->user(), row.user) << row.url;
    EXPECT_EQ(proxy->password(), row.password) << row.url;
    EXPECT_EQ(proxy->has_credentials(), !row.user.empty()) << row.url;
    EXPECT_EQ(proxy->authorization(), row.authorization) << row.url;
  }
}

TEST(Proxy, RefusesWhatIsNone) {
  struct Row {
    std::string url;
    Errc error;
  };
  const Row kRows[] = {
      {"", Errc::bad_uri},
      {"http://", Errc::bad_uri},
      {"http://:80", Errc::bad_uri},
      {"http://proxy:0", Errc::bad_uri},
      {"http://proxy:65536", Errc::bad_uri},
      {"http://proxy:x", Errc::bad_uri},
      {"http://proxy/path", Errc::bad_uri},
      {"http://proxy?q", Errc::bad_uri},
      {"http://proxy#f", Errc::bad_uri},
      {"http://pro xy", Errc::bad_uri},
      {"http://proxy\r\n", Errc::bad_uri},
      {"http://pro%0d%0axy", Errc::bad_uri},
      {"http://a:%@proxy", Errc::bad_uri},
      {"ftp://proxy", Errc::unsupported_scheme},
      {"socks4://proxy", Errc::unsupported_scheme},
      {"http://a:b%0d%0aX:%20y@proxy", Errc::bad_credentials},
      {"http://a%3ab:c@proxy", Errc::bad_credentials},
      {"socks5://:b@proxy", Errc::bad_credentials},
      {"socks5://" + std::string(256, 'a') + ":b@proxy", Errc::bad_credentials},
      {"socks5://a:" + std::string(256, 'b') + "@proxy", Errc::bad_credentials},
  };
  for (const Row& row : kRows) EXPECT_THAT(Proxy::parse(row.url), lab::IsError(row.error)) << row.url;
}

// ---- which one ---------------------------------------------------------------------------------------------

// The proxy of `url`, as text; "" without one.
std::string choice(const ProxyRules& rules, std::string_view url) {
  const Result<http::HttpUrl> parsed = http::parse_http_url(url);
  EXPECT_TRUE(parsed) << url;
  if (!parsed) return "no URL";
  const Proxy* const proxy = rules.proxy_for(*parsed);
  return proxy == nullptr ? "" : proxy->to_string();
}

TEST(ProxyRules, ReachEverythingDirectlyAtFirst) {
  EXPECT_EQ(choice(ProxyRules(), "http://app/"), "");
  EXPECT_EQ(choice(ProxyRules(), "https://app/"), "");
}

TEST(ProxyRules, GoByTheScheme) {
  struct Row {
    ProxySettings settings;
    std::string_view for_http;
    std::string_view for_https;
  };
  const Row kRows[] = {
      {{"a", "", "", ""}, "http://a:80", ""},
      {{"", "b", "", ""}, "", "http://b:80"},
      {{"", "", "c", ""}, "http://c:80", "http://c:80"},
      {{"a", "b", "c", ""}, "http://a:80", "http://b:80"},
      {{"a", "", "socks5://c", ""}, "http://a:80", "socks5://c:1080"},
  };
  for (const Row& row : kRows) {
    const Result<ProxyRules> rules = ProxyRules::from(row.settings);
    ASSERT_TRUE(rules);
    EXPECT_EQ(choice(*rules, "http://app/"), row.for_http);
    EXPECT_EQ(choice(*rules, "https://app/"), row.for_https);
  }
}

TEST(ProxyRules, RefuseAValueThatIsNoProxy) {
  EXPECT_THAT(ProxyRules::from({"ftp://a", "", "", ""}), lab::IsError(Errc::unsupported_scheme));
  EXPECT_THAT(ProxyRules::from({"", "a b", "", ""}), lab::IsError(Errc::bad_uri));
  EXPECT_THAT(ProxyRules::from({"", "", ":", ""}), lab::IsError(Errc::bad_uri));
}

TEST(ProxyRules, ExceptWhatNoProxyNames) {
  struct Row {
    std::string_view no_proxy;
    std::string_view url;
    bool is_direct;
  };
  constexpr Row kRows[] = {
      // Always.
      {"", "http://localhost/", true},
      {"", "https://LOCALHOST:8443/", true},
      {"", "http://127.0.0.1/", true},
      {"", "http://127.255.0.9/", true},
      {"", "http://[::1]/", true},
      {"", "http://[::ffff:127.0.0.1]/", true},
      {"", "http://128.0.0.1/", false},
      {"", "http://[::2]/", false},
      {"", "http://localhost.app.test/", false},
      {"", "http://app.test/", false},
      // Names.
      {"app.test", "http://app.test/", true},
      {"app.test", "http://APP.Test/", true},
      {"App.TEST", "http://app.test/", true},
      {"app.test", "http://www.app.test/", true},
      {"app.test", "http://myapp.test/", false},
      {"app.test", "http://app.test.evil/", false},
      {"app.test", "http://test/", false},
      {".app.test", "http://app.test/", false},
      {".app.test", "http://www.app.test/", true},
      {"*.app.test", "http://app.test/", false},
      {"*.app.test", "http://a.b.app.test/", true},
      {"test", "http://app.test/", true},
      // Ports.
      {"app.test:80", "http://app.test/", true},
      {"app.test:80", "https://app.test/", false},
      {"app.test:443", "https://app.test/", true},
      {"app.test:8080", "http://www.app.test:8080/", true},
      {".app.test:8080", "http://www.app.test:8081/", false},
      // Addresses.
      {"10.0.0.1", "http://10.0.0.1/", true},
      {"10.0.0.1", "http://10.0.0.11/", false},
      {"10.0.0.1", "http://10.0.0.2/", false},
      {"10.0.0.1:81", "http://10.0.0.1/", false},
      {"10.0.0.1:81", "http://10.0.0.1:81/", true},
      {"10.0.0.1", "http://[::ffff:10.0.0.1]/", true},
      {"::ffff:10.0.0.1", "http://10.0.0.1/", true},
      {"2001:db8::1", "http://[2001:db8::1]/", true},
      {"2001:db8::1", "http://[2001:DB8:0::1]/", true},
      {"[2001:db8::1]", "http://[2001:db8::1]/", true},
      {"[2001:db8::1]:81", "http://[2001:db8::1]:81/", true},
      {"[2001:db8::1]:81", "http://[2001:db8::1]/", false},
      // Blocks.
      {"10.1.0.0/16", "http://10.1.255.1/", true},
      {"10.1.0.0/16", "http://10.2.0.1/", false},
      {"10.1.2.3/16", "http://10.1.0.1/", true},
      {"10.128.0.0/9", "http://10.129.0.1/", true},
      {"10.128.0.0/9", "http://10.127.0.1/", false},
      {"0.0.0.0/0", "http://1.2.3.4/", true},
      {"0.0.0.0/0", "http://app.test/", false},
      {"0.0.0.0/0", "http://[2001:db8::1]/", false},
      {"10.0.0.1/32", "http://10.0.0.1/", true},
      {"10.0.0.1/33", "http://10.0.0.1/", false},
      {"10.0.0.1/", "http://10.0.0.1/", false},
      {"2001:db8::/32", "http://[2001:db8:1::]/", true},
      {"2001:db8::/32", "http://[2001:db9::]/", false},
      {"::ffff:10.1.0.0/112", "http://10.1.9.9/", true},
      {"::ffff:10.1.0.0/112", "http://10.2.9.9/", false},
      // Lists.
      {"*", "http://app.test/", true},
      {"*", "http://1.2.3.4/", true},
      {"other, app.test ,more", "http://app.test/", true},
      {",,app.test,,", "http://app.test/", true},
      {"other,*", "http://app.test/", true},
      {"other test", "http://app.test/", false},
      {", , ", "http://app.test/", false},
      // What can match nothing.
      {":80", "http://app.test/", false},
      {"app.test:x", "http://app.test/", false},
      {"app.test:0", "http://app.test/", false},
      {"[", "http://app.test/", false},
      {"[]", "http://app.test/", false},
      {"*.", "http://app.test/", false},
      {"*x", "http://app.test/", false},
  };
  for (const Row& row : kRows) {
    const Result<ProxyRules> rules = ProxyRules::from({"", "", "proxy", std::string(row.no_proxy)});
    ASSERT_TRUE(rules);
    EXPECT_EQ(choice(*rules, row.url), row.is_direct ? "" : "http://proxy:80") << row.no_proxy << " " << row.url;
  }
}

TEST(ProxyRules, AreReadFromAnEnvironment) {
  using Variables = std::map<std::string, std::string, std::less<>>;
  struct Row {
    Variables variables;
    std::string_view for_http;
    std::string_view for_https;
  };
  const Row kRows[] = {
      {{}, "", ""},
      {{{"http_proxy", "a"}}, "http://a:80", ""},
      {{{"HTTP_PROXY", "A"}, {"http_proxy", "a"}}, "http://A:80", ""},
      {{{"HTTP_PROXY", ""}, {"http_proxy", "a"}}, "http://a:80", ""},
      {{{"HTTPS_PROXY", "B"}, {"https_proxy", "b"}}, "", "http://B:80"},
      {{{"ALL_PROXY", "C"}, {"all_proxy", "c"}}, "http://C:80", "http://C:80"},
      {{{"all_proxy", "c"}, {"https_proxy", "b"}}, "http://c:80", "http://b:80"},
      {{{"all_proxy", "c"}, {"NO_PROXY", "app"}, {"no_proxy", "x"}}, "", ""},
      {{{"all_proxy", "c"}, {"no_proxy", "app"}}, "", ""},
      // In a CGI program HTTP_PROXY is what the client said in a field "Proxy".
      {{{"REQUEST_METHOD", "GET"}, {"HTTP_PROXY", "evil"}}, "", ""},
      {{{"REQUEST_METHOD", "GET"}, {"HTTP_PROXY", "evil"}, {"http_proxy", "a"}}, "http://a:80", ""},
      {{{"REQUEST_METHOD", "GET"}, {"HTTPS_PROXY", "b"}}, "", "http://b:80"},
  };
  for (const Row& row : kRows) {
    const Result<ProxyRules> rules = ProxyRules::from_environment([&row](const char* name) {
      const auto variable = row.variables.find(name);
      return variable == row.variables.end() ? nullptr : variable->second.c_str();
    });
    ASSERT_TRUE(rules);
    EXPECT_EQ(choice(*rules, "http://app/"), row.for_http);
    EXPECT_EQ(choice(*rules, "https://app/"), row.for_https);
  }
}

}  // namespace
}  // namespace pipette::client
