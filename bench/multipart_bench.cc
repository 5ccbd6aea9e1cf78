// What does it cost to take a form apart, and to collect it? Its body has three small fields and a file of 64 KiB; the
// adversary's file is nothing but beginnings of delimiters.

#include <benchmark/benchmark.h>
#include <string>

#include "pipette/http/form.h"
#include "pipette/http/multipart_reader.h"
#include "pipette/http/multipart_writer.h"

#include "bench/allocations.h"
#include "bench/benches.h"

namespace pipette::bench {
namespace {

constexpr std::size_t kFileBytes = 64 * 1024;

http::Boundary boundary() { return *http::Boundary::from("----WebKitFormBoundary7MA4YWxkTrZu0gW"); }

// Octets of all values, in no order that repeats.
std::string binary_content() {
  std::string content;
  std::uint32_t state = 1;
  while (content.size() < kFileBytes) {
    state = state * 1664525 + 1013904223;
    content += static_cast<char>(state >> 24);
  }
  return content;
}

std::string near_misses() {
  const http::Boundary whole = boundary();
  const std::string_view delimiter = whole.delimiter();
  std::string content;
  while (content.size() < kFileBytes) content += delimiter.substr(0, 10);
  return content;
}

std::string form_body(const std::string& content) {
  http::MultipartWriter writer(boundary());
  std::string body;
  const bool is_written =
      writer.add_field("title", "Pipettes", body) && writer.add_field("author", "someone", body) &&
      writer.add_field("token", "0123456789abcdef0123456789abcdef", body) &&
      writer.add_file({.name = "file", .filename = "a.png", .content_type = "image/png"}, content, body) &&
      writer.finish(body);
  return is_written ? body : std::string();
}

void read(benchmark::State& state, const std::string& body) {
  http::MultipartReader reader(boundary());
  std::size_t bytes = 0;
  const auto read_one = [&] {
    reader.reset(boundary());
    for (std::string_view rest = body;;) {
      const auto step = reader.next(rest);
      if (!step || step->event == http::MultipartReader::Event::more) break;
      bytes += step->data.size();
      rest.remove_prefix(step->consumed);
    }
  };
  for (int i = 0; i < 16; ++i) read_one();  // warm
  bytes = 0;
  {
    const AllocationCounter counter(state);
    for (auto _ : state) read_one();
  }
  if (!reader.finish() || bytes < kFileBytes * static_cast<std::size_t>(state.iterations())) {
    state.SkipWithError("the form was not read");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}

void collect(benchmark::State& state, const std::string& body) {
  bool is_collected = true;
  {
    const AllocationCounter counter(state);
    for (auto _ : state) {
      http::FormReader reader(boundary());
      is_collected &= reader.take(body).has_value();
      const Result<http::Form> form = reader.finish();
      is_collected &= form && form->value("title") == "Pipettes" && form->file("file")->size >= kFileBytes;
    }
  }
  if (!is_collected) state.SkipWithError("the form was not collected");
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}

void write(benchmark::State& state, const std::string& content) {
  std::string body = form_body(content);
  bool is_written = true;
  {
    const AllocationCounter counter(state);
    for (auto _ : state) {
      body.clear();
      http::MultipartWriter writer(boundary());
      is_written &= writer.add_field("title", "Pipettes", body).has_value();
      is_written &= writer.add_file({.name = "file", .filename = "a.png"}, content, body).has_value();
      is_written &= writer.finish(body).has_value();
    }
  }
  if (!is_written) state.SkipWithError("the form was not written");
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}

}  // namespace

void add_multipart_benches() {
  const auto add = [](const char* name, auto* run, const std::string& octets) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { run(state, octets); });
  };
  add("MultipartRead", read, form_body(binary_content()));
  add("MultipartReadAdversarial", read, form_body(near_misses()));
  add("FormRead", collect, form_body(binary_content()));
  add("MultipartWrite", write, binary_content());
}

}  // namespace pipette::bench
