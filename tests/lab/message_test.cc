// Messages in the octets of a test: where they end, and what they are.
#include "pipette/lab/message.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pipette::lab {
namespace {

TEST(RequestSize, EndsWhereTheFirstRequestDoes) {
  for (const std::string request : {
           "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
           "HEAD /x HTTP/1.0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
           "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
       }) {
    for (std::size_t size = 0; size < request.size(); ++size) {
      EXPECT_EQ(request_size(Bytes(request).substr(0, size)), 0U) << request << size;
    }
    EXPECT_EQ(request_size(request + "GET / HTTP"), request.size()) << request;
  }
  EXPECT_EQ(request_size("no request\r\n\r\n"), std::nullopt);
}

TEST(FindResponse, FindsTheFirstResponse) {
  struct Row {
    std::string response;
    http::Method method;
    int status;
    std::string body;
  };
  for (const Row& row : {
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", http::Method::get, 200, "abc"},
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", http::Method::head, 200, ""},
           Row{"HTTP/1.1 204 No Content\r\n\r\n", http::Method::get, 204, ""},
           Row{"HTTP/1.1 100 Continue\r\n\r\n", http::Method::post, 100, ""},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", http::Method::get,
               200, "abc"},
       }) {
    for (std::size_t size = 0; size < row.response.size(); ++size) {
      const Bytes part = Bytes(row.response).substr(0, size);
      EXPECT_EQ(find_response(part, row.method, false).value().size, 0U) << row.response << size;
      EXPECT_EQ(find_response(part, row.method, true).error(), Errc::incomplete_message) << row.response << size;
    }
    const auto found = find_response(row.response + "HTTP/1.1 2", row.method, false);
    ASSERT_TRUE(found) << row.response;
    EXPECT_EQ(found->size, row.response.size());
    EXPECT_EQ(found->response.status, row.status);
    EXPECT_EQ(found->response.body, row.body);
  }
  EXPECT_FALSE(find_response("no response\r\n\r\n", http::Method::get, false));
}

TEST(FindResponse, EndsWithTheConnectionWhenNothingElseSaysWhere) {
  const std::string octets = "HTTP/1.1 200 OK\r\n\r\nabc";
  EXPECT_EQ(find_response(octets, http::Method::get, false).value().size, 0U);
  const auto found = find_response(octets, http::Method::get, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, octets.size());
  EXPECT_EQ(found->response.body, "abc");
}

TEST(SentRequests, KnowARequestBeforeItsBodyIsWhole) {
  SentRequests sent;
  sent.add("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(sent.next(), http::Method::put);
  sent.add("HEAD / HT");
  EXPECT_EQ(sent.take(), http::Method::put);
  EXPECT_EQ(sent.take(), http::Method::get);
}

TEST(SentRequests, KnowTheMethodsInOrder) {
  SentRequests sent;
  EXPECT_EQ(sent.take(), http::Method::get);
  sent.add("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\nDELETE / HTTP");
  sent.add("/1.1\r\n\r\nPUT / HTTP/1.1\r\nHost: a\r\n");
  EXPECT_EQ(sent.next(), http::Method::head);
  EXPECT_EQ(sent.take(), http::Method::head);
  EXPECT_EQ(sent.take(), http::Method::post) << "whose body looks like a request";
  EXPECT_EQ(sent.take(), http::Method::get) << "nothing is known of half a request";
  sent.add("\r\n");
  EXPECT_EQ(sent.take(), http::Method::put);
  sent.add("no request\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(sent.take(), http::Method::get) << "nor of what is behind octets that are none";
}

}  // namespace
}  // namespace pipette::lab
