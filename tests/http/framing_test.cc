// RFC 9112 §6.3, step by step, for both roles.
#include "pipette/http/framing.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using Kind = BodyLength::Kind;

constexpr BodyLength kNone{Kind::none, 0};
constexpr BodyLength kChunked{Kind::chunked, 0};
constexpr BodyLength kUntilClose{Kind::until_close, 0};

Result<BodyLength> of_request(std::string_view fields, std::string_view version = "HTTP/1.1",
                              std::string_view method = "POST") {
  const std::string octets =
      std::string(method).append(" / ").append(version).append("\r\nHost: a\r\n").append(fields).append("\r\n");
  const test::RequestOutcome request = test::deliver_request({octets});
  EXPECT_EQ(request.error, std::nullopt) << octets;
  return body_length(request.head);
}

Result<BodyLength> of_response(std::string_view status_line, std::string_view fields, Method method = Method::get) {
  const std::string octets = std::string(status_line).append("\r\n").append(fields).append("\r\n");
  const test::ResponseOutcome response = test::deliver_response({octets});
  EXPECT_EQ(response.error, std::nullopt) << octets;
  return body_length(response.head, method);
}

void expect_refused(std::string_view fields, Errc error) {
  const Result<BodyLength> request = of_request(fields);
  ASSERT_FALSE(request) << fields;
  EXPECT_EQ(request.error(), error) << fields;
  EXPECT_FALSE(errc_row(error).connection_survives);
  const Result<BodyLength> response = of_response("HTTP/1.1 200 OK", fields);
  ASSERT_FALSE(response) << fields;
  EXPECT_EQ(response.error(), error) << fields;
}

TEST(Framing, Step1SomeResponsesEndAtTheEmptyLineWhateverTheirFieldsSay) {
  for (const std::string_view fields :
       {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n"}) {
    EXPECT_EQ(of_response("HTTP/1.1 200 OK", fields, Method::head), kNone) << fields;
    EXPECT_EQ(of_response("HTTP/1.1 404 Not Found", fields, Method::head), kNone) << fields;
    for (const std::string_view status : {"100 Continue", "101 Switching Protocols", "103 Early Hints", "199 ?",
                                          "204 No Content", "304 Not Modified"}) {
      EXPECT_EQ(of_response("HTTP/1.1 " + std::string(status), fields), kNone) << status << "\n" << fields;
    }
  }
}

TEST(Framing, Step2ASuccessfulConnectBecomesATunnel) {
  for (const std::string_view fields : {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    EXPECT_EQ(of_response("HTTP/1.1 200 OK", fields, Method::connect), kNone) << fields;
    EXPECT_EQ(of_response("HTTP/1.1 299 ?", fields, Method::connect), kNone) << fields;
  }
  EXPECT_EQ(of_response("HTTP/1.1 407 ?", "Content-Length: 5\r\n", Method::connect), (BodyLength{Kind::exact, 5}));
  EXPECT_EQ(of_response("HTTP/1.1 300 ?", "", Method::connect), kUntilClose);
}

TEST(Framing, Step3BothFieldsAreRefused) {
  for (const std::string_view fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
           "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
           "Transfer-Encoding:\r\nContent-Length: 5\r\n",
           "Transfer-Encoding: xchunked\r\nContent-Length: x\r\n",
           "transfer-encoding: chunked\r\nX: y\r\ncontent-length: 5\r\n",
       }) {
    expect_refused(fields, Errc::conflicting_framing);
  }
}

TEST(Framing, Step4ChunkedInAnyCaseIsTheOneCodingThatIsRead) {
  for (const std::string_view coding : {"chunked", "Chunked", "CHUNKED", " \tchunked\t "}) {
    const std::string field = "Transfer-Encoding:" + std::string(coding) + "\r\n";
    EXPECT_EQ(of_request(field), kChunked) << coding;
    EXPECT_EQ(of_request(field, "HTTP/1.1", "GET"), kChunked) << coding;
    EXPECT_EQ(of_response("HTTP/1.1 200 OK", field), kChunked) << coding;
    EXPECT_EQ(of_response("HTTP/1.1 500 Oops", field, Method::post), kChunked) << coding;
  }
}

TEST(Framing, Step4UnknownCodingsAreNotImplemented) {
  for (const std::string_view coding : {"gzip", "identity", "xchunked", "chunke", "chunkedd", "deflate", "compress",
                                        "gzip, chunked", "gzip,Chunked", "gzip, deflate , chunked"}) {
    expect_refused("Transfer-Encoding: " + std::string(coding) + "\r\n", Errc::unknown_transfer_coding);
  }
  EXPECT_EQ(errc_row(Errc::unknown_transfer_coding).status, 501);
}

TEST(Framing, Step4EveryOtherTransferEncodingIsRefused) {
  for (const std::string_view fields : {
           "Transfer-Encoding:\r\n",
           "Transfer-Encoding: gzip, identity\r\n",
           "Transfer-Encoding: gzip, , chunked\r\n",
           "Transfer-Encoding: gzip;q=1, chunked\r\n",
           "Transfer-Encoding: chunked, gzip\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: ,chunked\r\n",
           "Transfer-Encoding: chunked,\r\n",
           "Transfer-Encoding: chunked;a=b\r\n",
           "Transfer-Encoding: \"chunked\"\r\n",
           "Transfer-Encoding: chunked\xa0\r\n",
           "Transfer-Encoding: chun ked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
           "Transfer-Encoding: chunked\r\ntransfer-encoding:\r\n",
       }) {
    expect_refused(fields, Errc::bad_transfer_coding);
  }
}

TEST(Framing, Step4HttpOneZeroHasNoTransferCodings) {
  const std::string_view field = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(of_request(field, "HTTP/1.0").error(), Errc::bad_transfer_coding);
  EXPECT_EQ(of_response("HTTP/1.0 200 OK", field).error(), Errc::bad_transfer_coding);
}

TEST(Framing, Step5BadContentLengthsAreRefused) {
  for (const std::string_view value : {"",
                                       "x",
                                       "5x",
                                       "x5",
                                       "+5",
                                       "-5",
                                       "-0",
                                       "5 5",
                                       "5,5",
                                       "5, 5",
                                       "5,6",
                                       "5,",
                                       ",5",
                                       "5;",
                                       "0x5",
                                       "0o5",
                                       "5_0",
                                       "5.0",
                                       "5e1",
                                       "\"5\"",
                                       "\xb2",
                                       "18446744073709551616",
                                       "99999999999999999999",
                                       "184467440737095516150"}) {
    expect_refused("Content-Length: " + std::string(value) + "\r\n", Errc::bad_content_length);
  }
}

TEST(Framing, Step5RepeatedContentLengthsAreRefused) {
  for (const std::string_view fields :
       {"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n", "Content-Length: 0\r\nContent-Length:\r\n"}) {
    expect_refused(fields, Errc::bad_content_length);
  }
}

TEST(Framing, Step6AContentLengthIsTheLength) {
  constexpr std::pair<std::string_view, std::uint64_t> kValues[] = {
      {"0", 0}, {"5", 5}, {"005", 5}, {"0200", 200}, {"  5", 5}, {"\t5\t", 5}, {"18446744073709551615", UINT64_MAX}};
  for (const auto& [value, size] : kValues) {
    const std::string field = "Content-Length:" + std::string(value) + "\r\n";
    EXPECT_EQ(of_request(field), (BodyLength{Kind::exact, size})) << value;
    EXPECT_EQ(of_request(field, "HTTP/1.0"), (BodyLength{Kind::exact, size})) << value;
    EXPECT_EQ(of_request(field, "HTTP/1.1", "GET"), (BodyLength{Kind::exact, size})) << value;
    EXPECT_EQ(of_response("HTTP/1.1 200 OK", field), (BodyLength{Kind::exact, size})) << value;
  }
}

TEST(Framing, Step7ARequestWithNeitherFieldHasNoBody) {
  for (const std::string_view method : {"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "X"}) {
    EXPECT_EQ(of_request("", "HTTP/1.1", method), kNone) << method;
    EXPECT_EQ(of_request("", "HTTP/1.0", method), kNone) << method;
  }
  EXPECT_EQ(of_request("Transfer_Encoding: chunked\r\nContent_Length: 5\r\n"), kNone);
}

TEST(Framing, Step8AResponseWithNeitherFieldEndsWithTheConnection) {
  EXPECT_EQ(of_response("HTTP/1.1 200 OK", ""), kUntilClose);
  EXPECT_EQ(of_response("HTTP/1.0 200 OK", ""), kUntilClose);
  EXPECT_EQ(of_response("HTTP/1.1 205 Reset Content", ""), kUntilClose);
  EXPECT_EQ(of_response("HTTP/1.1 404 Not Found", "", Method::post), kUntilClose);
}

}  // namespace
}  // namespace pipette::http
