#include "pipette/http/negotiation.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/printers.h"

namespace pipette::http {
namespace {

using Offers = std::vector<std::string_view>;
using Lines = std::vector<std::string_view>;  // none: the field is absent

OwnedFields with(std::string_view name, const Lines& lines) {
  OwnedFields fields;
  for (const std::string_view line : lines) EXPECT_TRUE(fields.add(name, line)) << line;
  return fields;
}

std::string chosen(const Result<std::size_t>& choice, const Offers& offers) {
  return choice ? std::string(offers.at(*choice)) : std::string(errc_row(errc_of(choice.error())).message);
}

const std::string kNotAcceptable(errc_row(Errc::not_acceptable).message);
const std::string kMalformed(errc_row(Errc::bad_field_list).message);

// ---- codings -----------------------------------------------------------------------------------------------

std::string chosen_coding(const Lines& lines, const Offers& offers) {
  return chosen(choose_coding(with("Accept-Encoding", lines).view(), offers), offers);
}

TEST(ChooseCoding, TakesTheOneWithTheGreatestWeight) {
  struct Row {
    Lines lines;
    Offers offers;
    std::string chosen;
  };
  const Offers kAll = {"br", "gzip", "identity"};
  const Row kRows[] = {
      {{"gzip"}, kAll, "gzip"},
      {{"gzip, br"}, kAll, "br"},
      {{"gzip, deflate, br;q=0.5"}, kAll, "gzip"},
      {{"gzip;q=0.1"}, kAll, "gzip"},
      {{"gzip", "br"}, kAll, "br"},
      {{"GZIP"}, kAll, "gzip"},
      {{"x-gzip"}, kAll, "gzip"},
      {{"gzip"}, {"x-gzip", "identity"}, "x-gzip"},
      {{"X-Compress"}, {"gzip", "compress"}, "compress"},
      {{"x-br"}, kAll, "identity"},
      {{"deflate"}, kAll, "identity"},
      {{"identity;q=0.9, gzip;q=0.8"}, kAll, "identity"},
      {{"identity, gzip"}, kAll, "gzip"},
      {{"identity, gzip"}, {"identity", "gzip"}, "identity"},
      {{"*"}, kAll, "br"},
      {{"*;q=0.5, br;q=0.1"}, kAll, "gzip"},
      {{"gzip;q=0, *"}, kAll, "br"},
      {{"br;q=0, gzip;q=0"}, kAll, "identity"},
      {{"gzip;q=0, gzip;q=1"}, {"gzip", "identity"}, "identity"},
      {{"gzip;q=1.0, identity; q=0.5, *;q=0"}, kAll, "gzip"},
      {{"identity;q=0, *"}, kAll, "br"},
      {{"gzip;q=0.001"}, {"gzip", "identity"}, "gzip"},
  };
  for (const Row& row : kRows) EXPECT_EQ(chosen_coding(row.lines, row.offers), row.chosen) << row.lines[0];
}

TEST(ChooseCoding, LeavesTheBodyAsItIsWhenNobodyAsks) {
  EXPECT_EQ(chosen_coding({}, {"gzip", "identity"}), "identity");
  EXPECT_EQ(chosen_coding({""}, {"gzip", "identity"}), "identity");
  EXPECT_EQ(chosen_coding({","}, {"gzip", "identity"}), "identity");
  EXPECT_EQ(chosen_coding({}, {"br", "gzip"}), "br") << "without the field every coding is acceptable";
  EXPECT_EQ(chosen_coding({""}, {"br", "gzip"}), kNotAcceptable) << "an empty one asks for no coding";
}

TEST(ChooseCoding, FindsNothingWhenAllIsExcluded) {
  for (const std::string_view line :
       {"identity;q=0", "*;q=0", "*;q=0, deflate", "identity;q=0, gzip;q=0", "zstd, *;q=0"}) {
    EXPECT_EQ(chosen_coding({line}, {"gzip", "identity"}), kNotAcceptable) << line;
  }
  EXPECT_EQ(chosen_coding({"gzip"}, {}), kNotAcceptable);
  EXPECT_EQ(errc_row(Errc::not_acceptable).status, 406);
}

TEST(ChooseCoding, RefusesAMalformedField) {
  for (const std::string_view line :
       {"gzip br", "deflate;q=2, gzip", "deflate;level=9, gzip", "\"gzip\"", "a/b", ";q=1"}) {
    EXPECT_EQ(chosen_coding({line}, {"gzip", "identity"}), kMalformed) << line;
  }
}

TEST(CodingWeight, IsThatOfTheCodingOrOfTheWildcard) {
  const OwnedFields fields = with("Accept-Encoding", {"gzip;q=0.3, br", "*;q=0.2"});
  EXPECT_EQ(coding_weight(fields.view(), "gzip"), 300U);
  EXPECT_EQ(coding_weight(fields.view(), "br"), 1000U);
  EXPECT_EQ(coding_weight(fields.view(), "zstd"), 200U);
  EXPECT_EQ(coding_weight(fields.view(), "identity"), 200U);
  EXPECT_EQ(coding_weight(with("Accept-Encoding", {"br"}).view(), "gzip"), 0U);
}

// ---- media types -------------------------------------------------------------------------------------------

std::string chosen_type(const Lines& lines, const Offers& offers) {
  return chosen(choose_media_type(with("Accept", lines).view(), offers), offers);
}

// The table of RFC 9110 §12.5.1.
TEST(MediaTypeWeight, IsThatOfTheMostSpecificRange) {
  const OwnedFields fields = with("Accept", {"text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed",
                                             "text/plain;format=fixed;q=0.4, */*;q=0.5"});
  constexpr std::pair<std::string_view, unsigned> kRows[] = {
      {"text/plain;format=flowed", 1000},
      {"text/plain", 700},
      {"text/html", 300},
      {"image/jpeg", 500},
      {"text/plain;format=fixed", 400},
      {"text/html;level=3", 300},
      {"TEXT/PLAIN;Format=\"flowed\"", 1000},
      {"text/plain;format=Flowed", 700},
  };
  for (const auto& [type, weight] : kRows) {
    EXPECT_EQ(media_type_weight(fields.view(), *parse_media_type(type)), weight) << type;
  }
}

TEST(ChooseMediaType, TakesTheOneWithTheGreatestWeight) {
  struct Row {
    Lines lines;
    Offers offers;
    std::string chosen;
  };
  const Offers kAll = {"text/html", "application/json"};
  const Row kRows[] = {
      {{}, kAll, "text/html"},
      {{""}, kAll, "text/html"},
      {{"*/*"}, kAll, "text/html"},
      {{"application/json"}, kAll, "application/json"},
      {{"application/*, text/html;q=0.9"}, kAll, "application/json"},
      {{"text/html;q=0.5", "*/*;q=0.8"}, kAll, "application/json"},
      {{"text/html;q=0, */*"}, kAll, "application/json"},
      {{"*/*;q=0.1, text/html;q=0.1"}, kAll, "text/html"},
      {{"APPLICATION/JSON"}, kAll, "application/json"},
      {{"text/html;level=1, application/json;q=0.1"}, kAll, "application/json"},
      {{"q/r, text/html;Q=0.2;level=1, application/json;q=0.1"},
       {"application/json", "text/html;level=1"},
       "text/html;level=1"},
      {{"text/html;charset=UTF-8"}, {"text/html;charset=utf-8"}, "text/html;charset=utf-8"},
      {{"audio/*; q=0.2, audio/basic"}, {"audio/mp3", "audio/basic"}, "audio/basic"},
      {{"text/plain; q=0.5, text/html,", " text/x-dvi; q=0.8, text/x-c"}, {"text/plain", "text/x-dvi"}, "text/x-dvi"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(chosen_type(row.lines, row.offers), row.chosen) << (row.lines.empty() ? "" : row.lines[0]);
  }
}

TEST(ChooseMediaType, FindsNothingWhenAllIsExcluded) {
  for (const std::string_view line : {"image/png", "text/html;level=1", "*/*;q=0", "text/*;q=0.000, image/*"}) {
    EXPECT_EQ(chosen_type({line}, {"text/html"}), kNotAcceptable) << line;
  }
}

TEST(ChooseMediaType, RefusesAMalformedField) {
  for (const std::string_view line :
       {"text", "text/", "*", "*/html", "text/html;q=2", "text/html;q=\"1\"", "text/html;a", "text/html;a=\"",
        "te xt/html", "text/html/x", "text/plain;q=x, text/html"}) {
    EXPECT_EQ(chosen_type({line}, {"text/html"}), kMalformed) << line;
  }
}

TEST(ChooseMediaType, RefusesAnOfferThatIsNoMediaType) {
  const Offers offers = {"html"};
  EXPECT_EQ(choose_media_type(Fields(), offers).error(), Errc::bad_media_type);
}

// ---- languages ---------------------------------------------------------------------------------------------

std::string chosen_language(const Lines& lines, const Offers& offers) {
  return chosen(choose_language(with("Accept-Language", lines).view(), offers), offers);
}

TEST(ChooseLanguage, TakesTheOneWithTheGreatestWeight) {
  struct Row {
    Lines lines;
    Offers offers;
    std::string chosen;
  };
  const Row kRows[] = {
      {{}, {"en", "de"}, "en"},
      {{""}, {"en", "de"}, "en"},
      {{"de"}, {"en", "de"}, "de"},
      {{"DE"}, {"en", "de"}, "de"},
      {{"da, en-gb;q=0.8, en;q=0.7"}, {"en-US", "en-GB"}, "en-GB"},
      {{"da, en-gb;q=0.8, en;q=0.7"}, {"en-US", "fr"}, "en-US"},
      {{"de-CH, en;q=0.5"}, {"en", "de"}, "de"},
      {{"de-CH;q=0.4, en;q=0.5"}, {"de", "en"}, "en"},
      {{"en-US;q=0.2, en-GB;q=0.6, fr;q=0.5"}, {"fr", "en"}, "en"},
      {{"en-GB, *;q=0.1"}, {"fr", "en"}, "en"},
      {{"*;q=0.5, fr;q=0.1"}, {"fr", "it"}, "it"},
      {{"en;q=0, *"}, {"en-GB", "fr"}, "fr"},
      {{"en-GB;q=0, *;q=0.5"}, {"en"}, "en"},
      {{"en-GB;q=0, en"}, {"en-GB", "en-US"}, "en-US"},
      {{"de", "fr;q=0.9"}, {"fr", "de"}, "de"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(chosen_language(row.lines, row.offers), row.chosen) << (row.lines.empty() ? "" : row.lines[0]);
  }
}

TEST(ChooseLanguage, ComparesWholeSubtags) {
  for (const std::string_view line : {"e", "eng", "en_GB", "en-G", "fr", "en-GB-oed", "en-GB;q=0"}) {
    EXPECT_EQ(chosen_language({line}, {"en-GB"}), line == "en-GB-oed" ? "en-GB" : kNotAcceptable) << line;
  }
  EXPECT_EQ(chosen_language({"en q=1"}, {"en"}), kMalformed);
}

}  // namespace
}  // namespace pipette::http
