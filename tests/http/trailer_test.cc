#include "pipette/http/trailer.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

TEST(Trailer, MayNotFrameRouteAuthoriseOrControl) {
  for (const std::string_view name : {
           "Connection",
           "Content-Length",
           "Keep-Alive",
           "TE",
           "Trailer",
           "Transfer-Encoding",
           "Upgrade",
           "Forwarded",
           "Host",
           "Max-Forwards",
           "X-Forwarded-For",
           "X-Forwarded-Proto",
           "X-Forwarded-Host",
           "X-Forwarded",
           "X-Real-IP",
           "Authorization",
           "Cookie",
           "Set-Cookie",
           "WWW-Authenticate",
           "Proxy-Authenticate",
           "Proxy-Authorization",
           "Proxy-Connection",
           "Proxy-Anything",
           "Cache-Control",
           "Expect",
           "If-Match",
           "If-Modified-Since",
           "If-None-Match",
           "If-Range",
           "If-Unmodified-Since",
           "Pragma",
           "Range",
           "Age",
           "Date",
           "Expires",
           "Location",
           "Retry-After",
           "Vary",
           "Content-Encoding",
           "Content-Range",
           "Content-Type",
           "content-LENGTH",
           "x-real-ip",
           "PROXY-connection",
       }) {
    EXPECT_FALSE(may_be_trailer(name)) << name;
  }
}

TEST(Trailer, MayBeAnythingElse) {
  for (const std::string_view name : {"X-Checksum", "Server-Timing", "ETag", "Digest", "Proxy", "X-Forward", "X-Real",
                                      "X-Real-IPs", "X", "Prox", "Link"}) {
    EXPECT_TRUE(may_be_trailer(name)) << name;
  }
}

TEST(Trailer, SectionIsRefusedForOneForbiddenName) {
  OwnedFields trailers;
  EXPECT_TRUE(check_trailers(trailers.view()));
  EXPECT_TRUE(trailers.add("X-Sum", "1"));
  EXPECT_TRUE(check_trailers(trailers.view()));
  EXPECT_TRUE(trailers.add("Host", "a"));
  EXPECT_EQ(check_trailers(trailers.view()).error(), Errc::bad_trailer);
}

struct Announced {
  std::string_view list;
  std::optional<Errc> error;
};

TEST(Trailer, NamesAreAListOfTokensThatMayBeTrailers) {
  constexpr Announced kRows[] = {
      {"", std::nullopt},
      {"X-Sum", std::nullopt},
      {"X-Sum, X-Time,,\tX-Other ,", std::nullopt},
      {"X-Sum, Content-Length", Errc::bad_trailer},
      {"content-length", Errc::bad_trailer},
      {"X-Sum X-Time", Errc::bad_field_list},
      {"X-Sum;q=1", Errc::bad_field_list},
      {"\"X-Sum\"", Errc::bad_field_list},
  };
  for (const Announced& row : kRows) {
    OwnedFields head;
    ASSERT_TRUE(head.add("Trailer", "X-First"));
    ASSERT_TRUE(head.add("Trailer", row.list));
    ASSERT_TRUE(head.add("Trailer", "X-Last"));
    const Result<void> checked = check_trailer_names(head.view());
    EXPECT_EQ(checked ? std::nullopt : std::optional(errc_of(checked.error())), row.error) << row.list;
  }
}

}  // namespace
}  // namespace pipette::http
