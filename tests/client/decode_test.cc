// Responses whose content coding the client undoes.
#include "pipette/client/decode.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/client/client.h"
#include "pipette/coding/encoder.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

#include "tests/support/coding.h"

namespace pipette::client {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kAsk = "Accept-Encoding: gzip, deflate, br, zstd\r\n";

std::string zipped(std::string_view plain) { return test::encode(plain, coding::Coding::gzip); }

ClientOptions decompressing() {
  ClientOptions options;
  options.decompresses = true;
  return options;
}

class Decoding : public testing::Test {
 protected:
  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
  Client client_{lab_.runtime(), decompressing()};
};

TEST_F(Decoding, IsAskedForAndUndone) {
  server_.answer(lab::respond(200, zipped("Hello"), "Content-Encoding: gzip\r\nX: y\r\n"));
  const Result<Response> page = lab_.run(client_.get("http://app/"));
  ASSERT_TRUE(page);
  EXPECT_THAT(server_.requests()[0], HasSubstr(kAsk));
  EXPECT_EQ(page->body, "Hello");
  EXPECT_TRUE(page->was_decoded);
  EXPECT_FALSE(page->header("content-encoding"));
  EXPECT_FALSE(page->header("content-length"));
  EXPECT_EQ(page->header("x"), "y");
  EXPECT_EQ(client_.idle_connections(), 1U);
}

TEST_F(Decoding, IsUndoneWhereSeveralWereDone) {
  const std::string twice = test::encode(zipped("Hello"), coding::Coding::deflate);
  server_.answer(lab::respond(200, twice, "Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n"));
  EXPECT_EQ(lab_.run(client_.get("http://app/"))->body, "Hello");
}

TEST_F(Decoding, IsLeftToWhoAsksForItHimself) {
  for (const char* name : {"Accept-Encoding", "Range"}) {
    server_.answer(lab::respond(200, zipped("Hello"), "Content-Encoding: gzip\r\n"));
    Request request;
    request.url = "http://app/";
    ASSERT_TRUE(request.fields.set(name, "gzip"));
    const Result<Response> page = lab_.run(client_.call(request));
    EXPECT_EQ(page->body, zipped("Hello"));
    EXPECT_EQ(page->header("content-encoding"), "gzip");
    EXPECT_FALSE(page->was_decoded);
    EXPECT_THAT(server_.requests().back(), Not(HasSubstr(kAsk)));
  }
}

TEST_F(Decoding, IsLeftToOptionsThatAskForItThemselves) {
  for (const char* name : {"Accept-Encoding", "Range"}) {
    server_.answer(lab::respond(200, zipped("Hello"), "Content-Encoding: gzip\r\n"));
    http::OwnedFields fields;
    ASSERT_TRUE(fields.set(name, "gzip"));
    CallOptions options;
    options.fields = &fields;
    EXPECT_EQ(lab_.run(client_.get("http://app/", options))->body, zipped("Hello"));
    EXPECT_THAT(server_.requests().back(), Not(HasSubstr(kAsk)));
  }
}

TEST_F(Decoding, OfAnUpgradeThatIsRefused) {
  server_.answer(lab::respond(200, zipped("Hello"), "Content-Encoding: gzip\r\n"));
  Request request;
  request.url = "http://app/";
  ASSERT_TRUE(request.fields.set("Upgrade", "echo"));
  EXPECT_EQ(lab_.run(client_.upgrade(request))->response.body, "Hello");
}

TEST_F(Decoding, IsOffByDefault) {
  Client plain(lab_.runtime());
  server_.answer(lab::respond(200, zipped("Hello"), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(lab_.run(plain.get("http://app/"))->body, zipped("Hello"));
  EXPECT_THAT(server_.requests()[0], Not(HasSubstr("Accept-Encoding")));
}

TEST_F(Decoding, LeavesWhatIsNotCoded) {
  for (const std::string_view fields : {"", "Content-Encoding: identity\r\n", "Content-Encoding: rot13\r\n"}) {
    server_.answer(lab::respond(200, "Hello", fields));
    const Result<Response> page = lab_.run(client_.get("http://app/"));
    EXPECT_EQ(page->body, "Hello");
    EXPECT_EQ(page->header("content-length"), "5");
    EXPECT_FALSE(page->was_decoded);
  }
  server_.answer("HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(lab_.run(client_.get("http://app/"))->header("content-encoding"), "gzip");
}

TEST_F(Decoding, IsBoundedAndChecked) {
  ClientOptions strict = decompressing();
  strict.max_response_body_bytes = 1000;
  Client client(lab_.runtime(), strict);
  for (const std::size_t size : {1000U, 1001U}) {
    server_.answer(lab::respond(200, zipped(std::string(size, 'x')), "Content-Encoding: gzip\r\n"));
    const Result<Response> page = lab_.run(client.get("http://app/"));
    EXPECT_EQ(page ? Errc{} : errc_of(page.error()), size == 1000 ? Errc{} : Errc::body_too_large);
  }
  std::string cut = zipped("Hello");
  cut.pop_back();
  server_.answer(lab::respond(200, cut, "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(lab_.run(client.get("http://app/")), fail(Errc::bad_content_coding));
  server_.answer(lab::respond(200, "no gzip", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(lab_.run(client.get("http://app/")), fail(Errc::bad_content_coding));
  EXPECT_EQ(client.idle_connections(), 1U) << "there is nothing wrong with the connection";
}

TEST_F(Decoding, OfAStream) {
  std::string plain;
  for (int i = 0; i < 20'000; ++i) plain += std::to_string(i);
  for (const std::size_t room : {1'000U, 100'000U}) {
    server_.answer(lab::respond(200, zipped(plain), "Content-Encoding: gzip\r\n"));
    Request request;
    request.url = "http://app/";
    Result<ResponseStream> stream = lab_.run(client_.stream(request));
    ASSERT_TRUE(stream);
    EXPECT_TRUE(stream->response().was_decoded);
    EXPECT_FALSE(stream->length().is_known());
    std::string body;
    std::string into(room, '?');
    for (;;) {
      const Result<std::size_t> size = lab_.run(stream->read(into));
      ASSERT_TRUE(size);
      if (*size == 0) break;
      body.append(into, 0, *size);
    }
    EXPECT_EQ(body, plain);
    EXPECT_EQ(client_.idle_connections(), 1U);
  }
}

TEST_F(Decoding, OfAStreamIsBoundedAndChecked) {
  Request request;
  request.url = "http://app/";
  CallOptions options;
  options.max_response_body_bytes = 1000;
  server_.answer(lab::respond(200, zipped(std::string(5000, 'x')), "Content-Encoding: gzip\r\n"));
  Result<ResponseStream> stream = lab_.run(client_.stream(request, options));
  ASSERT_TRUE(stream);
  EXPECT_EQ(lab_.run(stream->read_all(10'000)), fail(Errc::body_too_large));
  std::string cut = zipped("Hello");
  cut.pop_back();
  server_.answer(lab::respond(200, cut, "Content-Encoding: gzip\r\n"));
  Result<ResponseStream> broken = lab_.run(client_.stream(request));
  ASSERT_TRUE(broken);
  EXPECT_EQ(lab_.run(broken->read_all(10'000)), fail(Errc::bad_content_coding));
}

}  // namespace
}  // namespace pipette::client
