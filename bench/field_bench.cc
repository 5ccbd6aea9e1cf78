// What does it cost to read what a field says: a list, parameters, a range, conditions? Rows and inputs are those of
// fasthttp, where it has them.

#include <benchmark/benchmark.h>
#include <string_view>

#include "pipette/http/conditional.h"
#include "pipette/http/field_list.h"
#include "pipette/http/negotiation.h"
#include "pipette/http/range.h"

#include "bench/allocations.h"
#include "bench/benches.h"

namespace pipette::bench {
namespace {

constexpr std::string_view kParameters =
    "text/plain  ;  foo=bar  ;   param2=\"dquote is: [\\\"], ok?\" ; version=1; q=0.324  ";
constexpr WallTime kNow(std::chrono::seconds(1257894000));

// The compiler must not know what is read.
std::string_view hidden(std::string_view text) {
  benchmark::DoNotOptimize(text);
  return text;
}

http::OwnedFields request(std::string_view name, std::string_view value) {
  http::OwnedFields fields;
  for (const std::string_view other : {"Host", "User-Agent", "Accept"}) (void)fields.add(other, "other");
  (void)fields.add(name, value);
  return fields;
}

void visit_header_params(benchmark::State& state) {
  std::size_t seen = 0;
  const AllocationCounter counter(state);
  for (auto _ : state) {
    const http::Element element = http::split_parameters(hidden(kParameters));
    const auto see = [&](const http::Parameter& parameter) { seen += parameter.name.size() + parameter.value.size(); };
    if (!http::for_each_parameter(element.parameters, see)) state.SkipWithError("malformed");
  }
  if (seen != 46 * static_cast<std::size_t>(state.iterations())) state.SkipWithError("not every parameter was seen");
}

void has_accept_encoding(benchmark::State& state) {
  const http::OwnedFields fields = request("Accept-Encoding", "gzip, deflate, br;q=0.5");
  const AllocationCounter counter(state);
  for (auto _ : state) {
    const Result<unsigned> weight = http::coding_weight(fields.view(), hidden("gzip"));
    if (weight.value_or(0) != http::kMaxWeight) state.SkipWithError("no gzip");
    benchmark::ClobberMemory();
  }
}

void choose_coding(benchmark::State& state) {
  const http::OwnedFields fields = request("Accept-Encoding", "gzip, deflate, br;q=0.5");
  constexpr std::string_view kOffers[] = {"br", "gzip", "identity"};
  const AllocationCounter counter(state);
  for (auto _ : state) {
    if (http::choose_coding(fields.view(), kOffers) != 1U) state.SkipWithError("not gzip");
    benchmark::ClobberMemory();
  }
}

void parse_range(benchmark::State& state) {
  const AllocationCounter counter(state);
  for (auto _ : state) {
    const Result<http::Ranges> ranges = http::resolve_ranges(hidden("bytes=0-499"), 10'000);
    if (!ranges || ranges->parts().size() != 1 || ranges->parts()[0].last != 499) state.SkipWithError("wrong range");
  }
}

void evaluate_conditions(benchmark::State& state) {
  const http::OwnedFields fields = request("If-None-Match", R"("xyzzy", "r2d2xxxx", W/"c3piozzzz")");
  const http::Representation current{true, http::EntityTag{"c3piozzzz"}, kNow};
  const AllocationCounter counter(state);
  for (auto _ : state) {
    const http::Verdict verdict = http::evaluate_conditions(http::Method::get, fields.view(), current, kNow);
    if (verdict != http::Verdict::not_modified) state.SkipWithError("wrong verdict");
    benchmark::ClobberMemory();
  }
}

}  // namespace

void add_field_benches() {
  benchmark::RegisterBenchmark("VisitHeaderParams", visit_header_params);
  benchmark::RegisterBenchmark("HasAcceptEncoding", has_accept_encoding);
  benchmark::RegisterBenchmark("ChooseCoding", choose_coding);
  benchmark::RegisterBenchmark("ParseRange", parse_range);
  benchmark::RegisterBenchmark("EvaluateConditions", evaluate_conditions);
}

}  // namespace pipette::bench
