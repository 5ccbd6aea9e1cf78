// Multipart bodies (RFC 2046 §5.1.1). Every body is delivered whole, octet by octet and cut at every place.
#include "pipette/http/multipart_reader.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/multipart.h"
#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using test::MultipartOutcome;

const Boundary kBoundary = *Boundary::from("x-y");

MultipartOutcome read(std::string_view body, const MultipartLimits& limits = {}) {
  return test::deliver_in_every_split(
      body, [&](const test::Pieces& pieces) { return test::deliver_multipart(pieces, kBoundary, limits); });
}

// A body of one part without fields.
std::string one_part(std::string_view content) { return "--x-y\r\n\r\n" + std::string(content) + "\r\n--x-y--\r\n"; }

TEST(MultipartReader, GivesPartsInOrder) {
  const MultipartOutcome outcome = read(
      "--x-y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
      "--x-y\r\nA: b\r\nC:  d \r\n\r\n\r\ntwo\r\n\r\n"
      "--x-y\r\n\r\n\r\n--x-y--\r\n");
  EXPECT_EQ(outcome.error, std::nullopt);
  EXPECT_TRUE(outcome.is_complete);
  ASSERT_EQ(outcome.parts.size(), 3U);
  EXPECT_EQ(outcome.parts[0], (test::Part{"\n<Content-Disposition> <form-data; name=\"a\">", "one", true}));
  EXPECT_EQ(outcome.parts[1], (test::Part{"\n<A> <b>\n<C> <d>", "\r\ntwo\r\n", true}));
  EXPECT_EQ(outcome.parts[2], (test::Part{"", "", true}));
}

TEST(MultipartReader, LeavesContentAsItIs) {
  std::string every_octet;
  for (int octet = 0; octet < 256; ++octet) every_octet += static_cast<char>(octet);
  for (const std::string& content :
       {std::string(), std::string("\r"), std::string("\r\n"), std::string("\n"), std::string("\r\r\r\n"),
        std::string("-"), std::string("--"), std::string("--x-"), std::string("--x-Y"), std::string("\r\n--x-"),
        std::string("\r\n--x-\r\n--x-"), std::string("\r\n-\r\n--\r\n--x\r\r\n--x-"), std::string("a--x-y"),
        std::string("\n--x-y\n"), std::string("\r--x-y\r"), std::string("\r\n --x-y"), std::string("\r\n-x-y"),
        std::string("--\r\n--"), every_octet}) {
    const MultipartOutcome outcome = read(one_part(content));
    ASSERT_EQ(outcome.parts.size(), 1U) << content;
    EXPECT_EQ(outcome.parts[0], (test::Part{"", content, true}));
    EXPECT_TRUE(outcome.is_complete) << content;
  }
}

TEST(MultipartReader, GivesContentInPlaceAndAsFarAsItGoes) {
  const std::string content(100'000, 'c');
  const std::string body = one_part(content);
  MultipartReader reader(kBoundary);
  const auto begin = reader.next(body);
  ASSERT_EQ(begin->event, MultipartReader::Event::part_begin);
  const auto data = reader.next(Bytes(body).substr(begin->consumed));
  ASSERT_EQ(data->event, MultipartReader::Event::data);
  EXPECT_EQ(data->data.data(), body.data() + 9);
  EXPECT_EQ(data->data.size(), content.size());
}

TEST(MultipartReader, DropsPreambleAndEpilogue) {
  for (const std::string_view preamble : {"", "\r\n", "preamble\r\n", "--x\r\n", "x--x-y\r\n", "\n--x-y\n\r\n"}) {
    for (const std::string_view epilogue : {"", "\r\n", "\r\nepilogue", "\r\n--x-y\r\nA: b\r\n\r\n", " \t\r\n\r\n"}) {
      const std::string body = std::string(preamble) + "--x-y\r\n\r\nc\r\n--x-y--" + std::string(epilogue);
      const MultipartOutcome outcome = read(body);
      EXPECT_EQ(outcome, (MultipartOutcome{.parts = {{"", "c", true}}, .is_complete = true})) << body;
    }
  }
}

TEST(MultipartReader, TakesPaddingBehindTheBoundary) {
  const MultipartOutcome outcome = read("--x-y \t \r\n\r\nc\r\n--x-y\t\r\n\r\nd\r\n--x-y-- \t\r\n");
  EXPECT_EQ(outcome, (MultipartOutcome{.parts = {{"", "c", true}, {"", "d", true}}, .is_complete = true}));
}

TEST(MultipartReader, TakesABodyWithoutParts) {
  EXPECT_EQ(read("--x-y--\r\n"), (MultipartOutcome{.is_complete = true}));
  EXPECT_EQ(read("preamble\r\n--x-y--"), (MultipartOutcome{.is_complete = true}));
}

TEST(MultipartReader, EndsAnEmptyPartDirectlyBehindItsFields) {
  const MultipartOutcome outcome = read("--x-y\r\nA: b\r\n\r\n--x-y--\r\n");
  EXPECT_EQ(outcome, (MultipartOutcome{.parts = {{"\n<A> <b>", "", true}}, .is_complete = true}));
}

TEST(MultipartReader, RefusesWhatIsNoDelimiterLine) {
  for (const std::string_view body : {
           "--x-y\n\r\nc\r\n--x-y--\r\n",              // LF behind the boundary
           "--x-y\r\r\n\r\nc\r\n--x-y--\r\n",          // CR CR LF
           "--x-yz\r\n\r\nc\r\n--x-y--\r\n",           // another boundary that begins with this one
           "--x-y z\r\n\r\nc\r\n--x-y--\r\n",          // something behind the padding
           "--x-y-\r\n\r\nc\r\n--x-y--\r\n",           // one dash
           "--x-y -- \r\n\r\nc\r\n--x-y--\r\n",        // dashes behind padding
           "--x-y\r\n\r\nc\r\n--x-y\v\r\n",            // a vertical tab is no padding
           "--x-y\r\n\r\nc\r\n--x-y--z\r\n",           // something behind the close delimiter
           "--x-y\r\n\r\nc\r\n--x-y-- \n",             // LF behind the close delimiter
           "--x-y\r\n\r\nc\r\n--x-y--\rz",             //
           "--x-y\r\n\r\n--x-yz\r\n--x-y--\r\n",       // at the start of the content
           "--x-y\r\n\r\n\r\n--x-y\"\r\n--x-y--\r\n",  //
       }) {
    EXPECT_EQ(read(body).error, Errc::bad_multipart) << body;
  }
}

TEST(MultipartReader, RefusesMalformedFields) {
  for (const std::string_view fields : {"A : b\r\n", "A: b\n", "A: b\r\n c\r\n", ": b\r\n", " A: b\r\n", "A\r\n",
                                        "A: \x01\r\n", "\n", "\r\r\n", "--x-y\r\n", "A: b\r\n--x-y\r\n"}) {
    EXPECT_EQ(read("--x-y\r\n" + std::string(fields) + "\r\nc\r\n--x-y--\r\n").error, Errc::bad_multipart) << fields;
  }
}

TEST(MultipartReader, ABodyThatEndsEarlyIsRefused) {
  const std::string body = "p\r\n--x-y\r\nA: b\r\n\r\nc\r\n--x-y--\r\n";
  const std::size_t complete_at = body.size() - 2;
  for (std::size_t size = 0; size <= body.size(); ++size) {
    MultipartReader reader(kBoundary);
    MultipartOutcome outcome;
    test::deliver_piece(reader, std::string_view(body).substr(0, size), outcome);
    ASSERT_EQ(outcome.error, std::nullopt) << size;
    const bool is_whole = size == complete_at || size == body.size();  // not between CR and LF
    EXPECT_EQ(reader.finish().has_value(), is_whole) << size;
    EXPECT_EQ(outcome.is_complete, size >= complete_at) << size;
    if (!is_whole) {
      EXPECT_EQ(reader.finish().error(), Errc::bad_multipart);
    }
  }
}

TEST(MultipartReader, RepeatsItsError) {
  MultipartReader reader(kBoundary);
  EXPECT_EQ(reader.next("--x-yz").error(), Errc::bad_multipart);
  EXPECT_EQ(reader.next("--x-y\r\n").error(), Errc::bad_multipart);
  EXPECT_EQ(reader.finish().error(), Errc::bad_multipart);
}

TEST(MultipartReader, ReadsAnotherBodyAfterAReset) {
  MultipartReader reader(kBoundary, {.max_parts = 1, .max_part_bytes = 1, .max_total_bytes = 40});
  for (const std::string_view text : {"x-y", "q", "x-y"}) {
    reader.reset(*Boundary::from(text));
    MultipartOutcome outcome;
    test::deliver_piece(reader, "--" + std::string(text) + "\r\nA: b\r\n\r\nc\r\n--" + std::string(text) + "--",
                        outcome);
    EXPECT_EQ(outcome, (MultipartOutcome{.parts = {{"\n<A> <b>", "c", true}}, .is_complete = true}));
    EXPECT_TRUE(reader.finish());
    EXPECT_EQ(reader.next("z").error(), Errc::bad_multipart);
  }
}

// ---- limits ------------------------------------------------------------------------------------------------

TEST(MultipartLimits, BoundTheNumberOfParts) {
  std::string body;
  for (const std::size_t parts : {1U, 2U, 3U, 4U}) {
    body += "--x-y\r\n\r\nc\r\n";
    const MultipartOutcome outcome = read(body + "--x-y--", {.max_parts = 3});
    EXPECT_EQ(outcome.error, parts <= 3 ? std::nullopt : std::optional(Errc::too_many_parts));
    EXPECT_EQ(outcome.parts.size(), std::min<std::size_t>(parts, 3));
  }
}

TEST(MultipartLimits, BoundTheHeadOfAPart) {
  for (const std::size_t size : {99U, 100U, 101U, 300U}) {
    const std::string one_line = "A: " + std::string(size - 7, 'b') + "\r\n\r\n";
    std::string two_lines = "A: " + std::string(size - 17, 'b') + "\r\nC: ddddd\r\n\r\n";
    for (const std::string& head : {one_line, two_lines}) {
      ASSERT_EQ(head.size(), size);
      const auto error = size <= 100 ? std::nullopt : std::optional(Errc::part_head_too_large);
      EXPECT_EQ(read("--x-y\r\n" + head + "c\r\n--x-y--", {.max_part_head_bytes = 100}).error, error) << size;
    }
  }
  EXPECT_EQ(read("--x-y\r\n" + std::string(200, 'A'), {.max_part_head_bytes = 100}).error, Errc::part_head_too_large);
  std::string many = "--x-y\r\n";
  for (int i = 0; i < 64; ++i) many += "A:\r\n";
  EXPECT_EQ(test::deliver_multipart({many + "\r\n"}, kBoundary).error, std::nullopt);
  EXPECT_EQ(test::deliver_multipart({many + "A:\r\n\r\n"}, kBoundary).error, Errc::part_head_too_large);
}

TEST(MultipartLimits, BoundAPart) {
  for (const std::size_t size : {9U, 10U, 11U, 20U}) {
    const auto error = size <= 10 ? std::nullopt : std::optional(Errc::part_too_large);
    EXPECT_EQ(read(one_part(std::string(size, 'c')), {.max_part_bytes = 10}).error, error) << size;
    EXPECT_EQ(read(one_part(std::string(size - 5, 'c') + "\r\n--x"), {.max_part_bytes = 10}).error, error) << size;
  }
  const std::string two = "--x-y\r\n\r\n1234567890\r\n--x-y\r\n\r\n1234567890\r\n--x-y--";
  EXPECT_EQ(read(two, {.max_part_bytes = 10}).error, std::nullopt);
}

TEST(MultipartLimits, BoundTheWhole) {
  const std::string body = "p\r\n--x-y\r\nA: b\r\n\r\ncontent\r\n--x-y--\r\nepilogue";
  for (std::size_t limit = 0; limit <= body.size() + 1; ++limit) {
    const auto error = limit >= body.size() ? std::nullopt : std::optional(Errc::multipart_too_large);
    EXPECT_EQ(read(body, {.max_total_bytes = limit}).error, error) << limit;
  }
}

TEST(MultipartLimits, GiveTheSameErrorInEverySplitWhenTwoAreMet) {
  const std::string body = one_part("12345\r\n--x12345");
  for (std::size_t total = 0; total <= body.size(); ++total) {
    for (std::size_t part = 0; part <= 15; ++part) {
      read(body, {.max_part_bytes = part, .max_total_bytes = total});
    }
  }
}

TEST(MultipartLimits, BoundWhatIsDropped) {
  const MultipartLimits limits{.max_discarded_bytes = 10};
  struct Row {
    std::string_view before, behind;
  };
  for (const Row& row : {Row{"", "\r\n--x-y--"}, Row{"--x-y--\r\n", ""}, Row{"--x-y", "\r\n"}, Row{"--x-y--", ""}}) {
    for (const std::size_t size : {9U, 10U, 11U}) {
      const char filler = row.before == "--x-y" || row.before == "--x-y--" ? ' ' : 'p';
      const std::string body = std::string(row.before) + std::string(size, filler) + std::string(row.behind);
      const auto error = size <= 10 ? std::nullopt : std::optional(Errc::multipart_too_large);
      EXPECT_EQ(read(body, limits).error, error) << body;
    }
  }
  EXPECT_EQ(read("12345\r\n--x-y--\r\n67890", limits).error, std::nullopt);
  EXPECT_EQ(read("12345\r\n--x-y--\r\n678901", limits).error, Errc::multipart_too_large);
}

// ---- the search --------------------------------------------------------------------------------------------

TEST(DelimiterSearch, FindsADelimiterAtEveryPlace) {
  const std::string delimiter(kBoundary.delimiter());
  for (std::size_t before = 0; before < 70; ++before) {
    const std::string octets = std::string(before, '\r') + delimiter + std::string(70, '-');
    const test::ExactBlock block(octets);
    internal::DelimiterSearch search(kBoundary);
    std::string data;
    std::string_view rest = block.octets();
    for (;;) {
      const auto step = search.next(rest);
      data += step.data;
      rest.remove_prefix(step.consumed);
      if (step.is_found) break;
      ASSERT_GT(step.consumed, 0U);
    }
    EXPECT_EQ(data, std::string(before, '\r'));
    EXPECT_EQ(rest.size(), 70U);
  }
}

// Near misses cost no more events than other content, and in the smallest pieces each octet is given once.
TEST(DelimiterSearch, GivesNearMissesInOneRun) {
  std::string content;
  while (content.size() < 10'000) content += "\r\n--x-";
  const std::string body = one_part(content);
  MultipartReader reader(kBoundary);
  std::size_t events = 0;
  for (std::string_view rest = body; !rest.empty(); ++events) rest.remove_prefix(reader.next(rest)->consumed);
  EXPECT_LT(events, 8U);
  EXPECT_EQ(test::deliver_multipart(test::one_by_one(body), kBoundary),
            (MultipartOutcome{.parts = {{"", content, true}}, .is_complete = true}));
}

}  // namespace
}  // namespace pipette::http
