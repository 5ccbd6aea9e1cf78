// What do writing heads, reading and writing chunked bodies, looking fields up and writing numbers cost?
//
// Rows and inputs are those of fasthttp's own benchmarks, where it has them. There is no status 99 here: StatusLine99
// asks for 999, which is as unregistered.

#include <benchmark/benchmark.h>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/base/digits.h"
#include "pipette/http/body_reader.h"
#include "pipette/http/body_writer.h"
#include "pipette/http/head_parser.h"
#include "pipette/http/message_writer.h"
#include "pipette/http/status.h"

#include "bench/allocations.h"
#include "bench/benches.h"

namespace pipette::bench {
namespace {

// `call` is made anew from `make` for each run, and called once an iteration; it returns whether it did its work.
template <class Make>
benchmark::internal::Benchmark* add(const char* name, Make make) {
  return benchmark::RegisterBenchmark(name, [make](benchmark::State& state) {
    auto call = make();
    bool has_worked = true;
    for (int i = 0; i < 32; ++i) has_worked &= call();
    {
      const AllocationCounter counter(state);
      for (auto _ : state) {
        has_worked &= call();
        benchmark::ClobberMemory();
      }
    }
    if (!has_worked) state.SkipWithError("it did not work");
  });
}

// ---- heads

auto request_writing() {
  http::OwnedFields fields;
  (void)fields.set("User-Agent", "aaa.bbb");
  (void)fields.set("Referer", "http://google.com/aaa/bbb");
  return [fields, target = *http::RequestTarget::origin("foobar.com", "/foo/bar"), out = Buffer()]() mutable {
    http::RequestHeadParts parts;
    parts.target = target;
    parts.fields = fields;
    out.clear();
    return http::write_request_head(out, parts).has_value();
  };
}

auto response_writing() {
  http::OwnedFields fields;
  (void)fields.set("Server", "aaa 1/2.3");
  (void)fields.set("Test", "1.2.3");
  return [fields, out = Buffer()]() mutable {
    http::ResponseHeadParts parts;
    parts.content_type = "text/html";
    parts.length = 1256;
    parts.fields = fields;
    parts.defaults.date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";  // fasthttp keeps its own as a string, too
    out.clear();
    return http::write_response_head(out, parts).has_value();
  };
}

auto status_line_of(int status) {
  return [status] {
    return [status]() mutable {
      benchmark::DoNotOptimize(status);
      const std::string_view line = http::status_line(status);
      benchmark::DoNotOptimize(line.data());
      return line.size() > 15;
    };
  };
}

// ---- looking up

template <class Parser, class Head>
auto looking_up(std::string octets, std::string_view name, bool is_there) {
  return [=] {
    struct Parsed {
      explicit Parsed(std::string text) : octets(std::move(text)) { (void)Parser().parse(octets, head); }
      std::string octets;
      Head head;
    };
    return [parsed = std::make_shared<Parsed>(octets), name, is_there]() mutable {
      benchmark::DoNotOptimize(name);
      const auto value = parsed->head.fields.get(name);
      benchmark::DoNotOptimize(value);
      return value.has_value() == is_there;
    };
  };
}

constexpr const char* kRequest =
    "GET /foo/bar HTTP/1.1\r\nHost: foobar.com\r\nUser-Agent: aaa.bbb\r\nReferer: http://google.com/aaa/bbb\r\n"
    "Content-Type: foobar\r\nDontent-Type: foobar\r\n\r\n";
constexpr const char* kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1256\r\nServer: aaa 1/2.3\r\nTest: 1.2.3\r\n"
    "Dontent-Type: foobar\r\n\r\n";

// ---- bodies

std::string chunked(std::size_t chunks, std::size_t size) {
  http::BodyWriter writer({http::BodyLength::Kind::chunked, 0});
  Buffer out;
  const std::string data(size, 'x');
  for (std::size_t i = 0; i < chunks; ++i) (void)writer.write(out, data);
  (void)writer.finish(out);
  return std::string(out.readable());
}

// All of the body is there; its data is put together in a string that is reused.
auto chunked_reading(std::size_t chunks, std::size_t size) {
  return [=] {
    return [octets = chunked(chunks, size), total = chunks * size, body = std::string(),
            reader = http::BodyReader({http::BodyLength::Kind::chunked, 0}, {})]() mutable {
      reader.reset({http::BodyLength::Kind::chunked, 0});
      body.clear();
      Bytes rest = octets;
      while (!reader.is_complete()) {
        const Result<http::BodyReader::Step> step = reader.next(rest);
        if (!step || step->consumed == 0) return false;
        body.append(step->data);
        rest.remove_prefix(step->consumed);
      }
      return body.size() == total;
    };
  };
}

// 64 KiB in 4 KiB chunks, as pieces for a vectored write.
auto chunked_writing() {
  return [data = std::string(4096, 'x'), out = Buffer()]() mutable {
    http::BodyWriter writer({http::BodyLength::Kind::chunked, 0});
    std::size_t written = 0;
    for (int i = 0; i < 16; ++i) {
      const Result<std::span<const Bytes>> pieces = writer.write(data);
      if (!pieces) return false;
      benchmark::DoNotOptimize(pieces->data());
      for (const Bytes piece : *pieces) written += piece.size();
    }
    out.clear();
    return writer.finish(out).has_value() && written == 16 * (4 + 2 + 4096 + 2);
  };
}

// ---- numbers

template <class Append>
auto counting(Append append) {
  return [append] {
    return [append, number = std::uint64_t{0}, out = std::string()]() mutable {
      out.clear();
      append(out, number);
      number = (number + 1) & 0x7fffffff;
      benchmark::DoNotOptimize(out.data());
      return !out.empty();
    };
  };
}

auto parsing_uint() {
  return [text = std::string_view("1234567")]() mutable {
    benchmark::DoNotOptimize(text);
    return ascii::parse_decimal(text) == 1234567U;
  };
}

}  // namespace

void add_write_benches() {
  add("RequestHeaderWrite", request_writing);
  add("ResponseHeaderWrite", response_writing);
  add("StatusLine99", status_line_of(999));
  add("StatusLine200", status_line_of(200));
  add("StatusLine512", status_line_of(512));
  using Request = http::RequestParser;
  using Response = http::ResponseParser;
  add("RequestHeaderPeekBytesSpecial", looking_up<Request, http::RequestHead>(kRequest, "Content-Type", true));
  add("RequestHeaderPeekBytesNonSpecial", looking_up<Request, http::RequestHead>(kRequest, "Dontent-Type", true));
  add("ResponseHeaderPeekBytesSpecial", looking_up<Response, http::ResponseHead>(kResponse, "Content-Type", true));
  add("ResponseHeaderPeekBytesNonSpecial", looking_up<Response, http::ResponseHead>(kResponse, "Dontent-Type", true));
  add("ChunkedBodyRead", chunked_reading(16, 4096));
  add("ChunkedBodyReadSmall", chunked_reading(1000, 16));
  add("ChunkedBodyWrite", [] { return chunked_writing(); });
  add("WriteHexInt", counting(append_hex));
  add("AppendUint", counting(append_decimal));
  add("ParseUint", parsing_uint);
}

}  // namespace pipette::bench
