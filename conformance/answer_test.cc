#include "conformance/answer.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pipette::conformance {
namespace {

using Methods = std::vector<http::Method>;

TEST(Answers, AreTakenApart) {
  const Answers found = read_answers(
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x,\t Close\r\n\r\nhi"
      "HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\n2;e\r\nno\r\n0\r\nT: t\r\n\r\n",
      {}, false);
  ASSERT_EQ(found.whole.size(), 3U) << found.wrong;
  EXPECT_TRUE(found.whole[0].is_interim());
  EXPECT_EQ(found.whole[1].content, "hi");
  EXPECT_TRUE(found.whole[1].lists("connection", "close"));
  EXPECT_FALSE(found.whole[1].lists("connection", "clos"));
  EXPECT_EQ(found.whole[2].status, 404);
  EXPECT_EQ(found.whole[2].content, "no");
  EXPECT_FALSE(found.whole[2].has("T")) << "a trailer";
  EXPECT_EQ(found.wrong, "");
}

TEST(Answers, AreFramedByTheirRequests) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  EXPECT_EQ(read_answers(head + head + "hi", {http::Method::head, http::Method::get}, false).whole.size(), 2U);
  EXPECT_EQ(read_answers(head, {}, false).whole.size(), 0U);
  EXPECT_EQ(read_answers("HTTP/1.1 304 x\r\nContent-Length: 2\r\n\r\n" + head + "hi", {}, false).whole.size(), 2U);
  EXPECT_EQ(read_answers("HTTP/1.1 200 OK\r\n\r\nhi", {}, false).whole.size(), 0U);
  EXPECT_EQ(read_answers("HTTP/1.1 200 OK\r\n\r\nhi", {}, true).whole.at(0).content, "hi");
}

TEST(Answers, AreWrongWhereAClientCouldMisreadThem) {
  for (const std::string octets : {
           "hello\r\n",
           "HTTP/2 200\r\n\r\n",
           "HTTP/1.1 200\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 200 OK\n\n",
           "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
       }) {
    EXPECT_NE(read_answers(octets, {}, false).wrong, "") << octets;
  }
}

TEST(Answers, AreWaitedForUntilTheyAreWhole) {
  const std::string octets = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  for (std::size_t size = 1; size < octets.size(); ++size) {
    const Answers part = read_answers(octets.substr(0, size), {}, false);
    EXPECT_TRUE(part.whole.empty() && part.has_rest && part.wrong.empty()) << size;
    EXPECT_EQ(read_answers(octets.substr(0, size), {}, true).wrong, "an answer that is cut short") << size;
  }
}

}  // namespace
}  // namespace pipette::conformance
