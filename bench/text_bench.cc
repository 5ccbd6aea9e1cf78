// What do the small functions of the codec cost, a call?
//
// Rows and inputs are those of fasthttp's own benchmarks. The two heads take turns with a copy that differs, so that
// our parser, which takes over fields that repeat, has to read them.

#include <benchmark/benchmark.h>
#include <string>
#include <utility>
#include <vector>

#include "pipette/base/ascii.h"
#include "pipette/base/decimal.h"
#include "pipette/base/ipv4.h"
#include "pipette/http/escape.h"
#include "pipette/http/field_name.h"
#include "pipette/http/head_parser.h"

#include "bench/allocations.h"
#include "bench/benches.h"
#include "bench/inputs.h"

namespace pipette::bench {
namespace {

// `call` is made anew from `make` for each run, and called once an iteration; it returns whether it did its work.
template <class Make>
void add(const std::string& name, Make make) {
  benchmark::RegisterBenchmark(name.c_str(), [make](benchmark::State& state) {
    auto call = make();
    bool has_worked = true;
    for (int i = 0; i < 32; ++i) has_worked &= call();
    {
      const AllocationCounter counter(state);
      for (auto _ : state) has_worked &= call();
    }
    if (!has_worked) state.SkipWithError("it did not work");
  });
}

template <class Parser, class Head>
auto reading(std::string_view octets) {
  return [octets] {
    return [heads = two_of(octets), turn = std::size_t{0}, parser = Parser(), head = Head()]() mutable {
      turn ^= 1;
      parser.reset();
      const std::size_t size = parser.parse(heads[turn], head).value_or(0);
      benchmark::DoNotOptimize(&head);
      benchmark::ClobberMemory();
      return size == heads[turn].size();
    };
  };
}

// `append` writes `input` to a string that is reused.
template <class Input, class Append>
auto appending(Input input, Append append) {
  return [input, append] {
    return [input, append, out = std::string()]() mutable {
      benchmark::DoNotOptimize(input);
      out.clear();
      append(input, out);
      benchmark::DoNotOptimize(out.data());
      benchmark::ClobberMemory();
      return !out.empty();
    };
  };
}

template <class Parse>
auto parsing(std::string_view text, Parse parse) {
  return [text, parse] {
    return [text, parse]() mutable {
      benchmark::DoNotOptimize(text);
      auto value = parse(text);
      benchmark::DoNotOptimize(value);
      return value.has_value();
    };
  };
}

// Sixteen calls an iteration, and the figure is that of one: the loop would take as long.
void is_get(benchmark::State& state) {
  http::RequestHead head;
  head.method = http::Method::get;
  bool has_worked = true;
  const auto call = [&] {
    benchmark::ClobberMemory();  // the compiler must read it again
    has_worked &= head.method == http::Method::get;
  };
  benchmark::DoNotOptimize(&head);
  {
    const AllocationCounter counter(state);
    while (state.KeepRunningBatch(16)) {
      call(), call(), call(), call(), call(), call(), call(), call();
      call(), call(), call(), call(), call(), call(), call(), call();
    }
  }
  if (!has_worked) state.SkipWithError("not a GET");
}

auto lowering(std::string_view text) {
  return appending(text, [](std::string_view from, std::string& to) {
    to += from;
    ascii::make_lower(to);
  });
}

}  // namespace

void add_text_benches() {
  add("RequestHeaderRead", reading<http::RequestParser, http::RequestHead>(
                               "GET /foo/bar HTTP/1.1\r\nHost: foobar.com\r\nUser-Agent: aaa.bbb\r\n"
                               "Referer: http://google.com/aaa/bbb\r\n\r\n"));
  add("ResponseHeaderRead", reading<http::ResponseParser, http::ResponseHead>(
                                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1256\r\n"
                                "Server: aaa 1/2.3\r\nTest: 1.2.3\r\n\r\n"));
  for (const auto& [row, name] : {std::pair("Common", "User-Agent-Host-Content-Type-Content-Length-Server"),
                                  std::pair("Lower", "user-agent-host-content-type-content-length-server"),
                                  std::pair("Upper", "USER-AGENT-HOST-CONTENT-TYPE-CONTENT-LENGTH-SERVER")}) {
    add(std::string("NormalizeHeaderKey") + row, appending(std::string_view(name), http::append_canonical_name));
  }
  benchmark::RegisterBenchmark("IsGet", is_get);
  add("AppendHTMLEscape", appending(std::string_view("<b>foobarbazxxxyyyzzz</b>"), http::append_html_escaped));
  add("ParseIPv4", parsing("123.145.167.189", parse_ipv4));
  add("AppendIPv4", appending(Ipv4{123, 145, 167, 189}, append_ipv4));
  add("ParseUfloat", parsing("1234.56789", parse_unsigned_float));
  add("LowercaseBytesNoop", lowering("foobarbaz_lowercased_all"));
  add("LowercaseBytesAll", lowering("FOOBARBAZ_UPPERCASED_ALL"));
  add("LowercaseBytesMixed", lowering("Foobarbaz_Uppercased_Mix"));
}

}  // namespace pipette::bench
