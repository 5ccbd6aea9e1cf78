#include "pipette/http/negotiation.h"

#include <algorithm>
#include <cstdint>

namespace pipette::http {
namespace {

constexpr unsigned kLeastWeight = 1;

template <class WeightOf>
Result<std::size_t> choose(std::span<const std::string_view> offers, WeightOf weight_of) {
  std::size_t best = 0;
  unsigned best_weight = 0;
  for (std::size_t i = 0; i < offers.size() && best_weight < kMaxWeight; ++i) {
    const Result<unsigned> weight = weight_of(offers[i]);
    if (!weight) return fail(weight.error());
    if (*weight <= best_weight) continue;
    best = i;
    best_weight = *weight;
  }
  if (best_weight == 0) return fail(Errc::not_acceptable);
  return best;
}

// Calls f(weighted) for each element of `name`, until it returns false.
template <class F>
Result<void> for_each_weighted(const Fields& fields, FieldName name, F f) {
  return internal::result_of(internal::read_lines<internal::WeightedReader>(fields, name, f));
}

// ---- codings -----------------------------------------------------------------------------------------------

// Without the "x-" of the two codings that are equivalent to those without it.
std::string_view without_alias(std::string_view coding) {
  const bool has_prefix = coding.size() > 2 && coding[1] == '-' && ascii::to_lower(coding[0]) == 'x';
  if (!has_prefix) [[likely]] {
    return coding;
  }
  const std::string_view rest = coding.substr(2);
  return ascii::equal_ignoring_case(rest, "gzip") || ascii::equal_ignoring_case(rest, "compress") ? rest : coding;
}

// `wanted` is without an alias. Most write codings in one case.
bool is_coding(std::string_view accepted, std::string_view wanted) {
  accepted = without_alias(accepted);
  return accepted == wanted || ascii::equal_ignoring_case(accepted, wanted);
}

// Whether the list begins with `coding` as it is, without a weight: what browsers send first is what most ask for.
bool is_first(std::string_view list, std::string_view coding) {
  if (!list.starts_with(coding) || coding.empty()) return false;
  return list.size() == coding.size() || list[coding.size()] == ',';
}

// ---- media ranges ------------------------------------------------------------------------------------------

struct Match {
  std::uint32_t rank = 0;  // 0: does not match
  unsigned weight = kMaxWeight;
};

constexpr std::uint32_t kAnyType = 1 << 16;
constexpr std::uint32_t kAnySubtype = 2 << 16;
constexpr std::uint32_t kThisType = 3 << 16;

// How closely type and subtype of the range match.
Result<std::uint32_t> rank_of(std::string_view range, const MediaType& offer) {
  const std::size_t slash = std::min(range.find('/'), range.size());
  const std::string_view type = range.substr(0, slash);
  const std::string_view subtype = range.substr(std::min(slash + 1, range.size()));
  if (!ascii::is_token(type) || !ascii::is_token(subtype)) return fail(Errc::bad_field_list);
  if (type == "*") {
    if (subtype != "*") return fail(Errc::bad_field_list);
    return kAnyType;
  }
  if (!ascii::equal_ignoring_case(type, offer.type)) return 0;
  if (subtype == "*") return kAnySubtype;
  return ascii::equal_ignoring_case(subtype, offer.subtype) ? kThisType : 0;
}

// A range matches when the offer has all of its parameters; any that is named q is its weight, wherever it stands.
Result<Match> match_range(std::string_view element, const MediaType& offer) {
  const Element range = split_parameters(element);
  const Result<std::uint32_t> rank = rank_of(range.value, offer);
  if (!rank) return fail(rank.error());
  Match match{*rank};
  std::uint32_t parameters = 0;
  Result<void> weighed;
  const Result<void> read = for_each_parameter(range.parameters, [&](const Parameter& parameter) {
    if (ascii::equal_ignoring_case(parameter.name, "q")) {
      const Result<unsigned> weight = parse_weight(parameter.value);
      if (!weight || parameter.is_quoted) weighed = fail(Errc::bad_field_list);
      match.weight = weight.value_or(0);
      return weighed.has_value();
    }
    ++parameters;
    if (match.rank == 0) return true;
    const std::optional<Parameter> offered = offer.parameter(parameter.name);
    if (!offered || !equal_values(parameter, *offered)) match.rank = 0;
    return true;
  });
  if (!read) return fail(read.error());
  if (!weighed) return fail(weighed.error());
  if (match.rank != 0) match.rank += std::min(parameters, std::uint32_t{UINT16_MAX});
  return match;
}

// ---- languages ---------------------------------------------------------------------------------------------

// Whether `tag` begins with the subtags of `prefix`.
bool begins_with(std::string_view tag, std::string_view prefix) {
  if (tag.size() < prefix.size() || !ascii::equal_ignoring_case(tag.substr(0, prefix.size()), prefix)) return false;
  return tag.size() == prefix.size() || tag[prefix.size()] == '-';
}

constexpr std::size_t kAnyLanguage = 1;
constexpr std::size_t kLookup = 2;

std::size_t rank_of_language(const Weighted& range, std::string_view tag) {
  if (range.value == "*") return kAnyLanguage;
  if (begins_with(tag, range.value)) return kLookup + range.value.size();
  return range.weight > 0 && begins_with(range.value, tag) ? kLookup : 0;
}

}  // namespace

Result<unsigned> coding_weight(const Fields& request, std::string_view coding) {
  const bool is_identity = ascii::equal_ignoring_case(coding, "identity");
  const auto first_line = request.get(FieldName::accept_encoding);
  if (!first_line) return is_identity ? kMaxWeight : kLeastWeight;
  if (is_first(*first_line, coding)) return kMaxWeight;

  const std::string_view wanted = without_alias(coding);
  std::optional<unsigned> weight;
  std::optional<unsigned> any_weight;
  const Result<void> read = for_each_weighted(request, FieldName::accept_encoding, [&](const Weighted& accepted) {
    if (is_coding(accepted.value, wanted)) {
      weight = accepted.weight;
    } else if (accepted.value == "*" && !any_weight) {
      any_weight = accepted.weight;
    }
    return !weight.has_value();
  });
  if (!read) return fail(read.error());
  if (weight) return *weight;
  return any_weight.value_or(is_identity ? kLeastWeight : 0);
}

Result<std::size_t> choose_coding(const Fields& request, std::span<const std::string_view> offers) {
  return choose(offers, [&](std::string_view offer) { return coding_weight(request, offer); });
}

Result<unsigned> media_type_weight(const Fields& request, const MediaType& offer) {
  Match best;  // of rank 0, and acceptable: stays when there is no range at all
  Result<void> matched;
  const Result<void> read = for_each_element(request, FieldName::accept, [&](std::string_view element) {
    const Result<Match> match = match_range(element, offer);
    if (!match) {
      matched = fail(match.error());
    } else if (match->rank > best.rank) {
      best = *match;
    } else if (best.rank == 0) {
      best.weight = 0;
    }
    return matched.has_value();
  });
  if (!read) return fail(read.error());
  if (!matched) return fail(matched.error());
  return best.weight;
}

Result<std::size_t> choose_media_type(const Fields& request, std::span<const std::string_view> offers) {
  return choose(offers, [&](std::string_view offer) -> Result<unsigned> {
    const Result<MediaType> media_type = parse_media_type(offer);
    if (!media_type) return fail(media_type.error());
    return media_type_weight(request, *media_type);
  });
}

Result<unsigned> language_weight(const Fields& request, std::string_view tag) {
  std::size_t best_rank = 0;
  unsigned weight = kMaxWeight;  // stays when there is no range at all
  const Result<void> read = for_each_weighted(request, FieldName::accept_language, [&](const Weighted& range) {
    const std::size_t rank = rank_of_language(range, tag);
    if (rank > best_rank) {
      best_rank = rank;
      weight = range.weight;
    } else if (best_rank == 0) {
      weight = 0;
    } else if (rank == best_rank && rank == kLookup) {
      weight = std::max(weight, range.weight);
    }
    return true;
  });
  if (!read) return fail(read.error());
  return weight;
}

Result<std::size_t> choose_language(const Fields& request, std::span<const std::string_view> offers) {
  return choose(offers, [&](std::string_view offer) { return language_weight(request, offer); });
}

}  // namespace pipette::http
