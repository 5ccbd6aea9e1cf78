#include "pipette/net/address.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/printers.h"

namespace pipette::net {
namespace {

using namespace std::string_view_literals;
using Kind = Address::Kind;

TEST(Address, IsReadAndWritten) {
  struct Row {
    std::string_view text;
    Kind kind;
    std::uint16_t port;
    std::string_view written;  // empty: as it was read
  };
  constexpr Row kRows[] = {
      {"127.0.0.1:80", Kind::ipv4, 80, ""},
      {"255.255.255.255:65535", Kind::ipv4, 65535, ""},
      {":80", Kind::ipv4, 80, "0.0.0.0:80"},
      {":0", Kind::ipv4, 0, "0.0.0.0:0"},
      {"[::1]:80", Kind::ipv6, 80, ""},
      {"[::]:443", Kind::ipv6, 443, ""},
      {"[2001:DB8:0:0:0:0:0:1]:80", Kind::ipv6, 80, "[2001:db8::1]:80"},
      {"[::ffff:1.2.3.4]:80", Kind::ipv6, 80, ""},
      {"app:80", Kind::name, 80, ""},
      {"my_app-1.example:080", Kind::name, 80, "my_app-1.example:80"},
      {"unix:/run/app.sock", Kind::unix_path, 0, ""},
      {"unix:relative:80", Kind::unix_path, 0, ""},
  };
  for (const Row& row : kRows) {
    const Result<Address> address = Address::parse(row.text);
    ASSERT_TRUE(address) << row.text;
    EXPECT_EQ(address->kind(), row.kind) << row.text;
    EXPECT_EQ(address->port(), row.port) << row.text;
    EXPECT_EQ(address->to_string(), row.written.empty() ? row.text : row.written);
    EXPECT_EQ(Address::parse(address->to_string()), *address) << row.text;
  }
}

TEST(Address, GivesItsIpWithoutPortAndBrackets) {
  struct Row {
    std::string_view text;
    std::string_view ip;
  };
  for (const Row& row : {Row{"127.0.0.1:80", "127.0.0.1"}, Row{"[2001:db8::1]:80", "2001:db8::1"}, Row{"[::]:0", "::"},
                         Row{"app:80", ""}, Row{"unix:/run/1.sock:80", ""}}) {
    EXPECT_EQ(Address::parse(row.text)->ip_text(), row.ip) << row.text;
  }
  EXPECT_EQ(Address().ip_text(), "");
}

TEST(Address, IsRefusedWhenMalformed) {
  for (const std::string_view text : {""sv,
                                      "app"sv,
                                      "127.0.0.1"sv,
                                      "app:"sv,
                                      "app:x"sv,
                                      "app:-1"sv,
                                      "app:+80"sv,
                                      "app: 80"sv,
                                      "app:80 "sv,
                                      "app:65536"sv,
                                      "app:1000000"sv,
                                      "app:99999999999999999999"sv,
                                      " app:80"sv,
                                      "a b:80"sv,
                                      "a/b:80"sv,
                                      "user@app:80"sv,
                                      "app:80:80"sv,
                                      "::1:80"sv,
                                      "[::1]"sv,
                                      "[::1]:"sv,
                                      "[::1]80"sv,
                                      "[::1:80"sv,
                                      "::1]:80"sv,
                                      "[]:80"sv,
                                      "[1.2.3.4]:80"sv,
                                      "[app]:80"sv,
                                      "[fe80::1%eth0]:80"sv,
                                      "[1:2]:80"sv,
                                      "[:::]:80"sv,
                                      "caf\xc3\xa9:80"sv,
                                      "unix:"sv,
                                      "a\0b:80"sv,
                                      "unix:/a\0b"sv,
                                      "[::1\0]:80"sv}) {
    const Result<Address> address = Address::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error(), Errc::bad_address) << text;
  }
}

TEST(Address, IsReadFromAHostAndAPort) {
  EXPECT_EQ(Address::parse("127.0.0.1", 80), Address::ipv4({127, 0, 0, 1}, 80));
  EXPECT_EQ(Address::parse("[::1]", 80), Address::parse("[::1]:80"));
  EXPECT_EQ(Address::parse("app", 80), Address::name("app", 80));
  for (const std::string_view host : {"", "a:80", "::1", "[", "]", "[]", "a b"}) {
    EXPECT_EQ(Address::parse(host, 80).error(), Errc::bad_address) << host;
  }
}

TEST(Address, BoundsNamesAndPaths) {
  EXPECT_TRUE(Address::parse(std::string(253, 'a') + ":80"));
  EXPECT_FALSE(Address::parse(std::string(254, 'a') + ":80"));
  EXPECT_TRUE(Address::parse("unix:" + std::string(107, 'a')));
  EXPECT_FALSE(Address::parse("unix:" + std::string(108, 'a')));
}

TEST(Address, KeepsItsOctetsAndText) {
  const Address four = Address::ipv4({10, 0, 0, 1}, 80);
  EXPECT_EQ(four.ip()[0], 10);
  EXPECT_EQ(four.ip()[3], 1);
  EXPECT_EQ(Address::parse("[::1]:80")->ip()[15], 1);
  EXPECT_EQ(Address::parse("app:80")->text(), "app");
  EXPECT_EQ(Address::parse("unix:/a")->text(), "/a");
}

TEST(Address, ChangesItsPort) {
  const Address address = Address::ipv4({127, 0, 0, 1}, 0);
  EXPECT_EQ(address.with_port(8080).to_string(), "127.0.0.1:8080");
  EXPECT_EQ(address.port(), 0);
}

TEST(Address, IsNowhereByDefault) {
  const Address nowhere;
  EXPECT_EQ(nowhere.kind(), Kind::none);
  EXPECT_EQ(nowhere.to_string(), "nowhere");
  EXPECT_NE(nowhere, Address::ipv4({0, 0, 0, 0}, 0));
}

}  // namespace
}  // namespace pipette::net
