// The fast passes against the careful one: whatever the instruction set, a head is the same head, and what one refuses
// they all refuse. Every octet at every place of heads, lines that end at every place of a block, random damage; each
// input in a block of exactly its size.
#include "pipette/http/internal/scan.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/base/random.h"

#include "tests/support/delivery.h"

namespace pipette::http::internal {
namespace {

using namespace std::string_view_literals;

struct Named {
  const char* name;
  const Scans* scans;
};

std::vector<Named> all_scans() {
  std::vector<Named> all = {{"portable", &portable_scans()}, {"best", &best_scans()}};
  if (sse2_scans() != nullptr) all.push_back({"SSE2", sse2_scans()});
  return all;
}

void expect_the_same_request(std::string_view octets, const HeadLimits& limits = {}) {
  const std::string careful = describe(test::deliver_request({octets}, limits, no_scans()));
  for (const Named& named : all_scans()) {
    ASSERT_EQ(describe(test::deliver_request({octets}, limits, *named.scans)), careful) << named.name << ":\n"
                                                                                        << octets;
  }
}

void expect_the_same_response(std::string_view octets, const HeadLimits& limits = {}) {
  const std::string careful = describe(test::deliver_response({octets}, limits, no_scans()));
  for (const Named& named : all_scans()) {
    ASSERT_EQ(describe(test::deliver_response({octets}, limits, *named.scans)), careful) << named.name << ":\n"
                                                                                         << octets;
  }
}

constexpr std::string_view kRequest =
    "POST /a/b%20c?d=e?f HTTP/1.1\r\n"
    "Host: app.example\r\n"
    "X-Y:z\r\n"
    "Content-Length: 12\r\n"
    "\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 404 Not Found\r\n"
    "Server: a b\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

template <class F>
void for_each_octet_at_each_place(std::string_view octets, F&& f) {
  for (std::size_t place = 0; place < octets.size(); ++place) {
    for (int octet = 0; octet < 256; ++octet) {
      std::string damaged(octets);
      damaged[place] = static_cast<char>(octet);
      f(damaged);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Scans, ReadTheSameRequestWithAnyOctetAnywhere) {
  for_each_octet_at_each_place(kRequest, [](const std::string& octets) { expect_the_same_request(octets); });
}

TEST(Scans, ReadTheSameHostAndPortWithAnyOctetAnywhere) {
  for_each_octet_at_each_place("GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n",
                               [](std::string_view octets) { expect_the_same_request(octets); });
}

TEST(Scans, ReadTheSameHostsAndPortsOfEverySize) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (const std::string_view port : {"", ":", ":0", ":8", ":80", ":443", ":8080", ":65535", ":65536", ":99999",
                                        ":080", ":000080", ":8a", ":80:80", ":-1", ":8080.", "::1", ":80 "}) {
      const std::string host = std::string(size, 'h') + std::string(port);
      expect_the_same_request("GET /a/longer/path/than/a/vector HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
      expect_the_same_request("GET / HTTP/1.1\r\nHost: " + host + "\r\nAccept: */*\r\n\r\n");
    }
  }
}

TEST(Scans, ReadTheSameResponseWithAnyOctetAnywhere) {
  for_each_octet_at_each_place(kResponse, [](const std::string& octets) { expect_the_same_response(octets); });
}

TEST(Scans, ReadTheSameOfEveryPrefix) {
  for (std::size_t size = 0; size <= kRequest.size(); ++size) expect_the_same_request(kRequest.substr(0, size));
  for (std::size_t size = 0; size <= kResponse.size(); ++size) expect_the_same_response(kResponse.substr(0, size));
}

TEST(Scans, ReadTheSameWithEveryMethod) {
  for (const std::string_view method :
       {"GET"sv, "HEAD"sv, "POST"sv, "PUT"sv, "DELETE"sv, "OPTIONS"sv, "TRACE"sv, "PATCH"sv, "CONNECT"sv, "GETS"sv,
        "GE"sv, "PUT\0"sv, "get"sv, "PROPFIND"sv, ""sv, "ABCDEFG"sv, "ABCDEFGH"sv}) {
    for (const std::string_view target :
         {"/", "/a?b", "*", "http://a/", "a:1", "/%41%", "/%4", "/%zz", "/%41?%42?", "?"}) {
      expect_the_same_request(std::string(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
  }
}

// The sizes put line ends and colons on every bit of a block, and blocks on every end of the input.
TEST(Scans, ReadTheSameWithLinesOfEverySize) {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string filler(size, 'v');
    expect_the_same_request("GET /" + filler + " HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_the_same_request("GET / HTTP/1.1\r\nHost: a" + filler + "\r\nAccept: b\r\n\r\n");
    expect_the_same_request("GET / HTTP/1.1\r\nHost: a\r\n" + filler + ": b:c\r\nAccept: d\r\n\r\n");
    expect_the_same_request("GET / HTTP/1.1\r\nAccept: " + filler + "\r\nHost: a\r\nAccept: d\r\n\r\n" + filler);
    expect_the_same_response("HTTP/1.1 200 " + filler + "\r\nServer: " + filler + "\r\nA: b\r\n\r\n" + filler);
  }
}

TEST(Scans, KeepTheSameLimits) {
  for (std::size_t limit = 0; limit < kRequest.size() + 2; ++limit) {
    expect_the_same_request(kRequest, {.max_target_bytes = limit});
    expect_the_same_request(kRequest, {.max_start_line_bytes = limit});
    expect_the_same_request(kRequest, {.max_field_bytes = limit});
    expect_the_same_request(kRequest, {.max_fields = limit});
    expect_the_same_request(kRequest, {.max_head_bytes = limit});
    expect_the_same_response(kResponse, {.max_start_line_bytes = limit});
    expect_the_same_response(kResponse, {.max_head_bytes = limit});
  }
}

TEST(Scans, SurviveRandomDamage) {
  Random random(1, "scans");
  const std::string telling = "\r\n :\t%?/aZ\x80\x7f";
  for (int round = 0; round < 3000; ++round) {
    std::string octets = "GET /path?query HTTP/1.1\r\n";
    for (std::uint64_t lines = random.below(6); lines > 0; --lines) {
      octets += random.below(2) == 0 ? "Accept-Encoding: gzip, br\r\n" : "Host: app\r\n";
      octets += "X-" + std::string(random.below(70), 'n') + ": " + std::string(random.below(70), 'v') + "\r\n";
    }
    octets += "\r\n";
    for (std::uint64_t wounds = random.below(3); wounds > 0; --wounds) {
      octets[random.below(octets.size())] = telling[random.below(telling.size())];
    }
    expect_the_same_request(octets);
    if (HasFatalFailure()) return;
  }
}

TEST(Scans, StopAtWhatEachMayNotPass) {
  const std::string text = "Content-Length: 5\x7f";
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  EXPECT_EQ(skip_token(begin, end) - begin, 14);
  EXPECT_EQ(skip_value(begin, end) - begin, 17);
  EXPECT_EQ(skip_target(begin, end) - begin, 15);
  EXPECT_EQ(skip_value(begin, begin), begin);
}

TEST(Scans, SkipValuesAsAnOctetAtATimeDoes) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string octets(size, 'v');
        octets[place] = static_cast<char>(octet);
        const test::ExactBlock block(octets);
        const std::size_t expected = ascii::is_value_char(static_cast<char>(octet)) ? size : place;
        const char* const begin = block.octets().data();
        ASSERT_EQ(skip_value(begin, begin + size) - begin, static_cast<std::ptrdiff_t>(expected)) << octet;
      }
    }
  }
}

}  // namespace
}  // namespace pipette::http::internal
