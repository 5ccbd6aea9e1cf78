// Bodies as they are sent; what is written is read again.
#include "pipette/http/body_writer.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using Kind = BodyLength::Kind;

constexpr BodyLength kChunked{Kind::chunked, 0};
constexpr BodyLength kUntilClose{Kind::until_close, 0};

OwnedFields trailers_of(std::initializer_list<Field> fields) {
  OwnedFields trailers;
  for (const Field& field : fields) EXPECT_TRUE(trailers.add(field.name, field.value));
  return trailers;
}

std::string joined(std::span<const Bytes> pieces) {
  std::string octets;
  for (const Bytes piece : pieces) octets += piece;
  return octets;
}

TEST(BodyWriter, PutsEachPieceOfDataIntoAChunk) {
  BodyWriter writer(kChunked);
  EXPECT_EQ(joined(*writer.write("hello")), "5\r\nhello\r\n");
  EXPECT_EQ(joined(*writer.write(std::string(255, 'x'))), "ff\r\n" + std::string(255, 'x') + "\r\n");
  Buffer out;
  EXPECT_TRUE(writer.finish(out));
  EXPECT_EQ(out.readable(), "0\r\n\r\n");
}

TEST(BodyWriter, DoesNotCopyTheData) {
  const std::string data = "hello";
  BodyWriter chunked(kChunked);
  const auto pieces = chunked.write(data);
  ASSERT_EQ(pieces->size(), 3U);
  EXPECT_EQ((*pieces)[1].data(), data.data());
  BodyWriter exact({Kind::exact, 5});
  const auto only = exact.write(data);
  ASSERT_EQ(only->size(), 1U);
  EXPECT_EQ((*only)[0].data(), data.data());
}

TEST(BodyWriter, WritesNoChunkForNoData) {
  for (const BodyLength length : {kChunked, kUntilClose, BodyLength{Kind::exact, 5}, BodyLength{}}) {
    BodyWriter writer(length);
    EXPECT_TRUE(writer.write("")->empty());
  }
}

TEST(BodyWriter, SendsExactlyTheDeclaredLength) {
  BodyWriter writer({Kind::exact, 5});
  EXPECT_EQ(joined(*writer.write("he")), "he");
  EXPECT_EQ(writer.write("llo!").error(), Errc::wrong_body_size);
  EXPECT_EQ(joined(*writer.write("llo")), "llo");
  EXPECT_EQ(writer.write("!").error(), Errc::wrong_body_size);
  Buffer out;
  EXPECT_TRUE(writer.finish(out));
  EXPECT_TRUE(out.empty());
}

TEST(BodyWriter, DoesNotFinishShortOfTheDeclaredLength) {
  BodyWriter writer({Kind::exact, 5});
  EXPECT_TRUE(writer.write("hell"));
  Buffer out;
  EXPECT_EQ(writer.finish(out).error(), Errc::wrong_body_size);
  EXPECT_EQ(writer.finish(out, Fields()).error(), Errc::wrong_body_size);
  EXPECT_FALSE(writer.is_finished());
  EXPECT_TRUE(writer.write("o"));
  EXPECT_TRUE(writer.finish(out));
}

TEST(BodyWriter, SendsNothingWhereThereIsNoBody) {
  BodyWriter writer(BodyLength{});
  EXPECT_EQ(writer.write("a").error(), Errc::wrong_body_size);
  Buffer out;
  EXPECT_TRUE(writer.finish(out));
  EXPECT_TRUE(out.empty());
}

TEST(BodyWriter, SendsNothingBehindTheEnd) {
  for (const BodyLength length : {kChunked, kUntilClose, BodyLength{Kind::exact, 0}, BodyLength{}}) {
    BodyWriter writer(length);
    Buffer out;
    EXPECT_TRUE(writer.finish(out));
    EXPECT_TRUE(writer.is_finished());
    const std::size_t size = out.size();
    EXPECT_EQ(writer.write("a").error(), Errc::wrong_body_size);
    EXPECT_EQ(writer.finish(out).error(), Errc::wrong_body_size);
    EXPECT_EQ(writer.finish(out, Fields()).error(), Errc::wrong_body_size);
    EXPECT_EQ(out.size(), size);
  }
}

TEST(BodyWriter, SendsTrailersBehindTheLastChunk) {
  BodyWriter writer(kChunked);
  Buffer out;
  EXPECT_TRUE(writer.write(out, "hello"));
  EXPECT_TRUE(writer.finish(out, trailers_of({{"X-Sum", "1"}, {"X-Empty", ""}}).view()));
  EXPECT_EQ(out.readable(), "5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Empty: \r\n\r\n");
}

TEST(BodyWriter, DropsTrailersThatCannotBeSent) {
  const OwnedFields trailers = trailers_of({{"X-Sum", "1"}});
  for (const BodyLength length : {kUntilClose, BodyLength{Kind::exact, 0}, BodyLength{}}) {
    BodyWriter writer(length);
    Buffer out;
    EXPECT_TRUE(writer.finish(out, trailers.view()));
    EXPECT_TRUE(out.empty());
  }
}

TEST(BodyWriter, RefusesForbiddenTrailersAndCanStillFinish) {
  const OwnedFields trailers = trailers_of({{"X-Sum", "1"}, {"Transfer-Encoding", "chunked"}});
  BodyWriter writer(kChunked);
  Buffer out;
  EXPECT_EQ(writer.finish(out, trailers.view()).error(), Errc::bad_trailer);
  EXPECT_TRUE(out.empty());
  EXPECT_FALSE(writer.is_finished());
  EXPECT_TRUE(writer.finish(out));
}

TEST(BodyWriter, WritesWhatTheReaderReads) {
  for (const std::size_t size : {1U, 9U, 10U, 15U, 16U, 17U, 255U, 256U, 4095U, 4096U, 65536U}) {
    std::string data;
    for (std::size_t i = 0; i < size; ++i) data += static_cast<char>(i * 7);
    BodyWriter writer(kChunked);
    Buffer out;
    EXPECT_TRUE(writer.write(out, data));
    EXPECT_TRUE(writer.write(out, "\r\n0\r\n\r\n"));
    EXPECT_TRUE(writer.finish(out, trailers_of({{"X-Sum", "1"}}).view()));
    const test::BodyOutcome body = test::deliver_body({out.readable()}, kChunked);
    EXPECT_EQ(body.data, data + "\r\n0\r\n\r\n") << size;
    EXPECT_EQ(body.consumed, out.size()) << size;
    EXPECT_TRUE(body.is_complete) << size;
  }
}

}  // namespace
}  // namespace pipette::http
