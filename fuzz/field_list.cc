// Lists, parameters, media types and entity tags: elements are those that a slow reading finds, lines are as good as
// commas, what is accepted satisfies the grammar and is written so that it is read back as the same, and no weight is
// greater than that of what is chosen.
#include "pipette/http/field_list.h"

#include <optional>
#include <string>
#include <vector>

#include "pipette/http/conditional.h"
#include "pipette/http/entity_tag.h"
#include "pipette/http/media_type.h"
#include "pipette/http/negotiation.h"
#include "pipette/http/vary.h"

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/splits.h"

namespace pipette::fuzz {
namespace {

using http::FieldName;

struct List {
  std::vector<std::string> elements;
  bool is_malformed = false;
  std::vector<std::size_t> commas;  // where they are that separate elements
};

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// One octet after the other, with the state of RFC 9110 §5.6.4.
List read_slowly(std::string_view text) {
  enum class State { plain, quoted, pair } state = State::plain;
  List list;
  std::string element;
  std::size_t empty = 0;
  const auto finish = [&](bool at_comma) {
    while (!element.empty() && is_one_of(element.back(), " \t")) element.pop_back();
    const bool is_empty = element.find_first_not_of(" \t") == std::string::npos;
    if (is_empty && at_comma && ++empty > http::kMaxEmptyElements) list.is_malformed = true;
    if (!is_empty) list.elements.push_back(element.substr(element.find_first_not_of(" \t")));
    element.clear();
  };
  for (std::size_t i = 0; i < text.size() && !list.is_malformed; ++i) {
    const char c = text[i];
    if (is_control(c)) {
      list.is_malformed = true;
    } else if (state == State::plain && c == ',') {
      finish(true);
      list.commas.push_back(i);
    } else {
      element += c;
      if (state == State::pair) {
        state = State::quoted;
      } else if (c == '"') {
        state = state == State::plain ? State::quoted : State::plain;
      } else if (c == '\\' && state == State::quoted) {
        state = State::pair;
      }
    }
  }
  if (list.is_malformed) return list;
  if (state == State::plain) {
    finish(false);
  } else {
    list.is_malformed = true;
  }
  return list;
}

void check_parameters(std::string_view element) {
  const http::Element split = http::split_parameters(element);
  std::string rewritten = "a";
  std::vector<std::string> values;
  const Result<void> read = http::for_each_parameter(split.parameters, [&](const http::Parameter& parameter) {
    require_token(parameter.name);
    require_text(parameter.value);
    if (!parameter.is_quoted) require_token(parameter.value);
    values.push_back(parameter.text());
    require(parameter.equals(values.back()) && parameter.equals_ignoring_case(values.back()));
    require(http::append_parameter(parameter.name, values.back(), rewritten).has_value());
  });
  require(read || read.error() == Errc::bad_field_list);
  std::size_t i = 0;
  require(http::for_each_parameter(http::split_parameters(rewritten).parameters, [&](const http::Parameter& parameter) {
            require(i < values.size() && parameter.text() == values[i++]);
          }).has_value());
  require(i == values.size());
}

void check_media_type(std::string_view text) {
  const Result<http::MediaType> media_type = http::parse_media_type(text);
  if (!media_type) return require(media_type.error() == Errc::bad_media_type);
  require_token(media_type->type);
  require_token(media_type->subtype);
  std::string once;
  require(http::write_media_type(*media_type, once).has_value());
  const Result<http::MediaType> again = http::parse_media_type(once);
  require(again && http::equivalent(*media_type, *again) && http::equivalent(*again, *media_type));
  std::string twice;
  require(http::write_media_type(*again, twice) && twice == once);
}

// Also what If-None-Match makes of them.
void check_entity_tags(std::string_view text) {
  if (const Result<http::EntityTag> tag = http::parse_entity_tag(text)) {
    std::string out;
    require(http::write_entity_tag(*tag, out) && out == text);
  }
  constexpr http::EntityTag kTag{"a"};
  bool has_a = false;
  const Result<void> read = http::for_each_entity_tag(text, [&](http::EntityTag tag) {
    require(!is_one_of('"', tag.opaque) && !is_one_of(' ', tag.opaque));
    require_text(tag.opaque);
    std::string out;
    require(http::write_entity_tag(tag, out) && text.find(out) != std::string_view::npos);
    has_a = has_a || tag.opaque == "a";
  });
  http::OwnedFields fields;
  if (!fields.add("If-None-Match", text)) return;
  const bool is_any = fields.get(FieldName::if_none_match) == "*";
  const http::Representation current{true, kTag};
  const http::Verdict got = http::evaluate_conditions(http::Method::get, fields.view(), current, WallTime());
  const http::Verdict put = http::evaluate_conditions(http::Method::put, fields.view(), current, WallTime());
  const bool is_match = is_any || (read && has_a);
  require(got == (is_match ? http::Verdict::not_modified : http::Verdict::proceed));
  require(put == (is_match || !read ? http::Verdict::precondition_failed : http::Verdict::proceed));
}

void check_choices(std::string_view text) {
  http::OwnedFields fields;
  for (const std::string_view name : {"Accept", "Accept-Encoding", "Accept-Language"}) {
    if (!fields.add(name, text)) return;
  }
  constexpr std::string_view kCodings[] = {"br", "x-gzip", "identity"};
  constexpr std::string_view kTypes[] = {"text/html;charset=utf-8", "text/html", "a/b"};
  constexpr std::string_view kTags[] = {"en", "en-GB", "de"};
  const auto check = [](Result<std::size_t> choice, const auto& offers, const auto& weight_of) {
    for (std::size_t i = 0; i < std::size(offers); ++i) {
      const Result<unsigned> weight = weight_of(offers[i]);
      if (!weight) continue;
      require(*weight <= http::kMaxWeight);
      if (!choice) {
        require(choice.error() == Errc::bad_field_list || (choice.error() == Errc::not_acceptable && *weight == 0));
      } else {
        const Result<unsigned> best = weight_of(offers[*choice]);
        require(best && *best > 0 && *best >= *weight && (i >= *choice || *best > *weight));
      }
    }
  };
  const http::Fields& view = fields.view();
  check(http::choose_coding(view, kCodings), kCodings,
        [&](std::string_view offer) { return http::coding_weight(view, offer); });
  check(http::choose_media_type(view, kTypes), kTypes,
        [&](std::string_view offer) { return http::media_type_weight(view, *http::parse_media_type(offer)); });
  check(http::choose_language(view, kTags), kTags,
        [&](std::string_view offer) { return http::language_weight(view, offer); });
}

// The same elements, however they are spread over lines.
void check_lines(std::string_view text, const List& list) {
  for (const std::size_t comma : list.commas) {
    http::OwnedFields whole;
    http::OwnedFields lines;
    if (!whole.add("Accept", text)) return;
    require(lines.add("Accept", text.substr(0, comma)) && lines.add("accept", text.substr(comma + 1)));
    std::vector<std::string> elements;
    const Result<void> read = http::for_each_element(lines.view(), FieldName::accept,
                                                     [&](std::string_view element) { elements.emplace_back(element); });
    // The comma that is gone may have been one too many.
    if (read) require(list.is_malformed || elements == list.elements);
    if (list.is_malformed) continue;
    require(read.has_value());
    http::OwnedFields response;
    require(http::add_vary(response, "Accept") && http::add_vary(response, "accept"));
    require(http::vary_matches(response.view(), whole.view(), lines.view()));
  }
}

void run(std::string_view text) {
  const test::ExactBlock block(text);
  const List expected = read_slowly(text);
  std::vector<std::string> elements;
  const Result<void> read =
      http::for_each_element(block.octets(), [&](std::string_view element) { elements.emplace_back(element); });
  require(read.has_value() == !expected.is_malformed);
  if (read) require(elements == expected.elements);
  for (const std::string& element : elements) {
    check_parameters(element);
    require(http::list_contains(block.octets(), element));
    const Result<http::Weighted> weighted = http::parse_weighted(element);
    if (!weighted) continue;
    require_token(weighted->value);
    require(weighted->weight <= http::kMaxWeight);
  }
  check_media_type(block.octets());
  check_entity_tags(block.octets());
  check_choices(text);
  if (text.size() < 512) check_lines(text, expected);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
