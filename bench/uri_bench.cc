// What does it cost to parse a URI into a reused Uri, and to write it; and to decode percent signs?
//
// Rows and inputs are those of fasthttp's benchmarks. Parsing includes what Uri::path() and the other parts answer
// with; nothing is left for later but the pairs of the query.

#include <benchmark/benchmark.h>
#include <string>

#include "pipette/http/percent.h"
#include "pipette/http/uri.h"

#include "bench/allocations.h"
#include "bench/benches.h"

namespace pipette::bench {
namespace {

void parse(benchmark::State& state, std::string_view text) {
  http::Uri uri;
  const auto parse_once = [&] {
    benchmark::DoNotOptimize(text);
    return uri.parse("google.com", text).has_value();
  };
  bool all_parsed = parse_once() && parse_once();
  {
    const AllocationCounter counter(state);
    for (auto _ : state) {
      all_parsed = parse_once() && all_parsed;
      benchmark::DoNotOptimize(&uri);
      benchmark::ClobberMemory();
    }
  }
  if (!all_parsed) state.SkipWithError("not a URI");
}

void full_uri(benchmark::State& state) {
  http::Uri uri;
  if (!uri.parse("foobar.com", "/foobar/baz?aaa=bbb&ccc=ddd")) return state.SkipWithError("not a URI");
  std::string out;
  out.reserve(uri.full_uri().size());
  const AllocationCounter counter(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(&uri);
    out.assign(uri.full_uri());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}

void append_unquoted_arg(benchmark::State& state, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const AllocationCounter counter(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(text);
    out.clear();
    http::append_form_decoded(text, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}

}  // namespace

void add_uri_benches() {
  benchmark::RegisterBenchmark("URIParsePath", parse, "/foo/bar");
  benchmark::RegisterBenchmark("URIParsePathQueryString", parse, "/foo/bar?query=string&other=value");
  benchmark::RegisterBenchmark("URIParsePathQueryStringHash", parse, "/foo/bar?query=string&other=value#hashstring");
  benchmark::RegisterBenchmark("URIParseHostname", parse,
                               "http://foobar.com/foo/bar?query=string&other=value#hashstring");
  benchmark::RegisterBenchmark("URIFullURI", full_uri);
  benchmark::RegisterBenchmark("AppendUnquotedArgFast", append_unquoted_arg,
                               "foobarbaz no quoted chars fdskjsdf jklsdfdfskljd;aflskjdsaf fdsklj fsdkj fsdl kfjsdlk "
                               "jfsdklj fsdfsdf sdfkflsd");
  benchmark::RegisterBenchmark("AppendUnquotedArgSlow", append_unquoted_arg,
                               "D0%B4%20%D0%B0%D0%B2%D0%BB%D0%B4%D1%84%D1%8B%D0%B0%D0%BE%20%D1%84%D0%B2%D0%B6%D0%BB%D0"
                               "%B4%D1%8B%20%D0%B0%D0%BE");
}

}  // namespace pipette::bench
