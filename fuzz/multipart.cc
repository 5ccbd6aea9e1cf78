// Multipart bodies: any split gives what the whole gives, the limits hold, a plain reading of an accepted body finds
// the same parts, and a form that is written again is read as the same.
#include "tests/support/multipart.h"

#include <string>
#include <vector>

#include "pipette/http/form.h"
#include "pipette/http/memory_files.h"
#include "pipette/http/multipart_reader.h"
#include "pipette/http/multipart_writer.h"

#include "fuzz/grammar.h"
#include "fuzz/input.h"
#include "fuzz/require.h"

namespace pipette::fuzz {
namespace {

const http::Boundary kBoundary = *http::Boundary::from("b");

// Small ones in half of the cases, so that the fuzzer meets them.
http::MultipartLimits choose_limits(unsigned choice) {
  if (choice < 8) return {};
  return {.max_parts = choice - 8,
          .max_part_head_bytes = 80,
          .max_name_bytes = 3,
          .max_part_bytes = 10,
          .max_total_bytes = choice * 32,
          .max_discarded_bytes = choice - 8,
          .max_memory_bytes = 300};
}

// Head and content of each part of an accepted body.
std::vector<std::string_view> plain_parts(std::string_view body) {
  constexpr std::string_view kDelimiter = "\r\n--b";
  std::vector<std::string_view> parts;
  std::size_t at = body.starts_with("--b") ? 3 : body.find(kDelimiter) + kDelimiter.size();
  while (!body.substr(at).starts_with("--")) {
    const std::size_t head = body.find("\r\n", at) + 2;
    // The end of a head is the end of a line that a delimiter may begin with.
    const std::size_t head_end = body.substr(head).starts_with("\r\n") ? head : body.find("\r\n\r\n", head) + 2;
    const std::size_t end = body.find(kDelimiter, head_end);
    parts.push_back(body.substr(head, end - head));
    at = end + kDelimiter.size();
  }
  return parts;
}

void require_plain_reading(const test::MultipartOutcome& outcome, std::string_view body) {
  const std::vector<std::string_view> parts = plain_parts(body);
  require(parts.size() == outcome.parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    require(outcome.parts[i].has_ended);
    if (outcome.parts[i].content.empty()) {
      require(parts[i].empty() || parts[i].ends_with("\r\n"));
    } else {
      require(parts[i].ends_with("\r\n" + outcome.parts[i].content));
    }
  }
}

Result<http::Form> collect(const test::Pieces& pieces, const http::MultipartLimits& limits, http::FileSink* sink) {
  http::FormReader reader(kBoundary, limits, sink);
  for (const std::string_view piece : pieces) {
    const test::ExactBlock block(piece);
    if (const Result<void> taken = reader.take(block.octets()); !taken) return fail(taken.error());
  }
  return reader.finish();
}

bool are_equal(const http::FormFile& a, const http::FormFile& b) {
  return a.name == b.name && a.filename == b.filename && a.content_type == b.content_type && a.size == b.size &&
         a.content == b.content;
}

// What the writer takes of `form` is read back from what it writes.
void require_written_again(const http::Form& form) {
  http::MultipartWriter writer(kBoundary);
  http::Form taken;
  std::string body;
  std::uint64_t size = writer.size_of_end();
  for (const http::FormValue& value : form.values) {
    if (!writer.add_field(value.name, value.value, body)) continue;
    taken.values.push_back(value);
    size += writer.size_of_part({.name = value.name}, value.value.size());
  }
  for (const http::FormFile& file : form.files) {
    const http::PartInfo info{.name = file.name, .filename = file.filename, .content_type = file.content_type};
    if (!writer.add_file(info, file.content, body)) continue;
    taken.files.push_back(file);
    size += writer.size_of_part(info, file.content.size());
  }
  require(writer.finish(body).has_value() && body.size() == size);
  const http::MultipartLimits limits{.max_part_head_bytes = 1 << 20, .max_name_bytes = 1 << 20};
  const Result<http::Form> again = collect({body}, limits, nullptr);
  require(again && again->values.size() == taken.values.size() && again->files.size() == taken.files.size());
  for (std::size_t i = 0; i < taken.values.size(); ++i) {
    require(again->values[i].name == taken.values[i].name && again->values[i].value == taken.values[i].value);
  }
  for (std::size_t i = 0; i < taken.files.size(); ++i) require(are_equal(again->files[i], taken.files[i]));
}

void require_form(const http::Form& form, const http::MultipartLimits& limits, const http::MemoryFiles& files) {
  std::uint64_t memory = 0;
  std::size_t stored = 0;
  const auto require_name = [&](std::string_view name) {
    require_text(name);
    require(name.size() <= limits.max_name_bytes);
    memory += name.size();
  };
  for (const http::FormValue& value : form.values) {
    require_name(value.name);
    memory += value.value.size();
  }
  for (const http::FormFile& file : form.files) {
    require_name(file.name);
    require_name(file.filename);
    const std::string_view safe = http::safe_file_name(file.filename);
    require(file.filename.ends_with(safe) && safe != "." && safe != ".." && !safe.contains('/') &&
            !safe.contains('\\'));
    require(file.size <= limits.max_part_bytes);
    require((file.is_stored ? *files.find(file.stored_as) : file.content).size() == file.size);
    memory += file.content.size();
    stored += file.is_stored ? 1 : 0;
  }
  require(memory <= limits.max_memory_bytes && stored == files.size());
  require(form.values.size() + form.files.size() <= limits.max_parts);
}

// A form of one field and one file, whose names and content are the input's.
void require_any_form(std::string_view octets) {
  const std::string_view name = octets.substr(0, octets.find('|'));
  const std::string content(octets.substr(std::min(name.size() + 1, octets.size())));
  http::Form form;
  form.values.push_back({.name = std::string(name), .value = content});
  form.files.emplace_back().filename = name;
  form.files[0].content = content;
  form.files[0].size = content.size();
  require_written_again(form);
}

void require_boundary(std::string_view content_type) {
  const Result<http::Boundary> boundary = http::boundary_of(content_type, "");
  if (!boundary) return;
  const std::string_view text = boundary->text();
  require(!text.empty() && text.size() <= 70 && text.back() != ' ');
  for (const char c : text) require(is_letter_or_digit(c) || is_one_of(c, "'()+_,-./:=? "));
  const Result<http::Boundary> again = http::boundary_of(http::MultipartWriter(*boundary).content_type());
  require(again && again->text() == text);
}

void run(const Input& input) {
  const http::MultipartLimits limits = choose_limits(input.choice);
  const test::MultipartOutcome whole = test::deliver_multipart({input.octets}, kBoundary, limits);
  require(whole == test::deliver_multipart(input.pieces, kBoundary, limits));
  if (input.octets.size() < 256) {
    require(whole == test::deliver_multipart(test::one_by_one(input.octets), kBoundary, limits));
  }
  require(whole.parts.size() <= limits.max_parts);
  for (const test::Part& part : whole.parts) require(part.content.size() <= limits.max_part_bytes);
  if (whole.error) require(errc_row(*whole.error).connection_survives);
  if (whole.is_complete && !whole.error) require_plain_reading(whole, input.octets);

  http::MemoryFiles files;
  const Result<http::Form> form = collect(input.pieces, limits, &files);
  if (form) {
    require(!whole.error && whole.is_complete);
    require_form(*form, limits, files);
    require_written_again(*form);
  } else {
    require(files.size() == 0);
  }
  require_any_form(input.octets);
  require_boundary(input.octets);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({data, size});
  return 0;
}
