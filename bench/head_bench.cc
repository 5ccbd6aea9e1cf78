// What does it cost to parse a head, and what does it cost others?
//
// "RequestHead200" is ours, "RequestHead200/pico" is picohttpparser with the same input, and so on. Every row takes
// turns over heads that differ: a parser of ours remembers the last head's fields and takes them over when their octets
// repeat, which is not the question here. So are the parser and the head that it fills those of a connection in use.
// The rows "ByteByByte" ask whether the cost stays linear when the octets of a head arrive one by one.

#include <benchmark/benchmark.h>
#include <string>
#include <utility>
#include <vector>

#include "pipette/http/head_parser.h"

#include "bench/allocations.h"
#include "bench/benches.h"
#include "bench/inputs.h"
#ifdef PIPETTE_BENCH_HTTP_PARSER
#include "bench/peers/c/http_parser.h"
#endif
#if defined(PIPETTE_BENCH_PICO) || defined(PIPETTE_BENCH_PICO_NATIVE)
#include "bench/peers/c/pico.h"
#endif

namespace pipette::bench {
namespace {

using Heads = std::vector<std::string>;

// Our parsers in the shape of the peers'.
template <class Parser, class Head>
struct OurHead {
  Parser parser;
  Head head;

  int parse(std::string& octets) {
    parser.reset();
    return static_cast<int>(parser.parse(octets, head).value_or(0));
  }
};

using OurRequest = OurHead<http::RequestParser, http::RequestHead>;
using OurResponse = OurHead<http::ResponseParser, http::ResponseHead>;

template <class Head>
void parse_in_turn(benchmark::State& state, Heads heads) {
  Head head;
  const auto parse = [&](std::string& octets) {
    const int size = head.parse(octets);
    benchmark::DoNotOptimize(&head);
    benchmark::ClobberMemory();
    return static_cast<std::size_t>(size) == octets.size();
  };
  bool all_parsed = true;
  for (int round = 0; round < 16; ++round) {
    for (std::string& octets : heads) all_parsed = parse(octets) && all_parsed;
  }

  std::size_t at = 0;
  std::size_t parsed_bytes = 0;
  {
    const AllocationCounter counter(state);
    for (auto _ : state) {
      std::string& octets = heads[at];
      all_parsed &= parse(octets);
      parsed_bytes += octets.size();
      at = at + 1 == heads.size() ? 0 : at + 1;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(parsed_bytes));
  if (!all_parsed) state.SkipWithError("a head was not parsed");
}

template <class Head>
void add(const std::string& name, const Heads& heads) {
  benchmark::RegisterBenchmark(name.c_str(), [heads](benchmark::State& state) { parse_in_turn<Head>(state, heads); });
}

void add_request_rows(const std::string& name, const Heads& heads) {
  add<OurRequest>(name, heads);
#ifdef PIPETTE_BENCH_PICO
  add<PicoRequest<phr_parse_request>>(name + "/pico", heads);
#endif
#ifdef PIPETTE_BENCH_PICO_NATIVE
  add<PicoRequest<phr_native_parse_request>>(name + "/pico_native", heads);
#endif
#ifdef PIPETTE_BENCH_HTTP_PARSER
  add<HttpParserHead<HTTP_REQUEST>>(name + "/http_parser", heads);
#endif
}

void add_response_rows(const std::string& name, const Heads& heads) {
  add<OurResponse>(name, heads);
#ifdef PIPETTE_BENCH_PICO
  add<PicoResponse<phr_parse_response>>(name + "/pico", heads);
#endif
#ifdef PIPETTE_BENCH_PICO_NATIVE
  add<PicoResponse<phr_native_parse_response>>(name + "/pico_native", heads);
#endif
#ifdef PIPETTE_BENCH_HTTP_PARSER
  add<HttpParserHead<HTTP_RESPONSE>>(name + "/http_parser", heads);
#endif
}

// A request of `size` octets, or a few more: field lines of 64 octets, or one line.
std::string request_of(std::size_t size, bool is_one_line) {
  std::string request(kShortRequest.substr(0, kShortRequest.size() - 2));
  if (is_one_line) {
    request += "X-Long: " + std::string(size, 'v') + "\r\n";
  } else {
    while (request.size() < size) request += "X-Sixty-Four-Octets: " + std::string(41, 'v') + "\r\n";
  }
  return request + "\r\n";
}

// One iteration is a head, delivered octet by octet to the parser.
void parse_byte_by_byte(benchmark::State& state, const std::string& request) {
  const http::HeadLimits limits{
      .max_field_bytes = request.size(), .max_fields = 4096, .max_head_bytes = request.size()};
  http::RequestHead head;
  const auto deliver = [&] {
    http::RequestParser parser(limits);
    for (std::size_t arrived = 1; arrived < request.size(); ++arrived) {
      if (parser.parse(Bytes(request).substr(0, arrived), head).value_or(1) != 0) return false;
    }
    return parser.parse(request, head).value_or(0) == request.size();
  };
  bool all_parsed = deliver();
  {
    const AllocationCounter counter(state);
    for (auto _ : state) all_parsed &= deliver();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.size()));
  if (!all_parsed) state.SkipWithError("the head was not parsed");
}

void add_byte_by_byte(const std::string& name, std::size_t size, bool is_one_line) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    parse_byte_by_byte(state, request_of(size, is_one_line));
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace

void add_head_benches() {
  constexpr std::size_t kMixed = 64;
  add_request_rows("RequestHead40", two_of(kShortRequest));
  add_request_rows("RequestHead200", two_of(kGet));
  add_request_rows("RequestHead700", two_of(kBrowserRequest));
  add_request_rows("RequestHeadMixed", mixed_requests(kMixed));
  add_response_rows("ResponseHead160", two_of(kShortResponse));
  add_response_rows("ResponseHead600", two_of(kLongResponse));
  for (const std::size_t kib : {std::size_t{32}, std::size_t{64}}) {
    add_byte_by_byte("HeadByteByByte" + std::to_string(kib) + "K", kib * 1024, false);
    add_byte_by_byte("FieldByteByByte" + std::to_string(kib) + "K", kib * 1024, true);
  }
}

}  // namespace pipette::bench
