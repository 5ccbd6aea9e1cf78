#include "pipette/http/form.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipette/base/ascii.h"

namespace pipette::http {
namespace {

constexpr std::string_view kTransferEncoding = "Content-Transfer-Encoding";

bool changes_octets(std::string_view transfer_encoding) {
  constexpr std::array<std::string_view, 3> kPlain = {"binary", "8bit", "7bit"};
  return std::ranges::none_of(kPlain, [&](auto plain) { return ascii::equal_ignoring_case(transfer_encoding, plain); });
}

// Whether these may be the fields of a part of a form.
bool are_part_fields(const Fields& fields) {
  bool are_plain = true;
  for_each(fields, kTransferEncoding, [&](std::string_view coding) { are_plain &= !changes_octets(coding); });
  return are_plain && fields.contains(FieldName::content_disposition) &&
         !fields.is_repeated(FieldName::content_disposition) && !fields.is_repeated(FieldName::content_type);
}

}  // namespace

std::optional<std::string_view> Form::value(std::string_view name) const {
  const auto found = std::ranges::find(values, name, &FormValue::name);
  return found == values.end() ? std::nullopt : std::optional<std::string_view>(found->value);
}

const FormFile* Form::file(std::string_view name) const {
  const auto found = std::ranges::find(files, name, &FormFile::name);
  return found == files.end() ? nullptr : &*found;
}

void Form::remove_files(FileSink& sink) {
  for (FormFile& file : files) {
    if (std::exchange(file.is_stored, false)) sink.remove(file.stored_as);
  }
}

Result<void> FormReader::take(Bytes octets) {
  if (failure_) return fail(failure_);
  if (const Result<void> taken = take_events(octets); !taken) return give_up(taken.error());
  return {};
}

Result<Form> FormReader::finish() {
  if (failure_) return fail(failure_);
  if (const Result<void> finished = reader_.finish(); !finished) return fail(give_up(finished.error()).error());
  failure_ = make_error_code(Errc::bad_multipart);  // there is one form
  return std::exchange(form_, Form());
}

Result<void> FormReader::take_events(Bytes octets) {
  using enum MultipartReader::Event;
  for (;;) {
    const Result<MultipartReader::Step> step = reader_.next(octets);
    if (!step) return fail(step.error());
    octets.remove_prefix(step->consumed);
    if (step->event == more) return {};
    Result<void> done;
    if (step->event == part_begin) done = begin_part();
    if (step->event == data) done = take_data(step->data);
    if (step->event == part_end) done = end_part();
    if (!done) return done;
  }
}

Result<void> FormReader::begin_part() {
  const Fields& fields = reader_.fields();
  if (!are_part_fields(fields)) return fail(Errc::bad_multipart);
  const std::string_view disposition = *fields.get(FieldName::content_disposition);
  if (const Result<void> parsed = parse_form_part(disposition, limits_.max_name_bytes, part_); !parsed) return parsed;

  if (!part_.is_file) {
    place_ = Place::value;
    if (const Result<void> kept = keep(kFormPartCost + part_.name.size()); !kept) return kept;
    form_.values.push_back({.name = part_.name, .value = {}});
    return {};
  }
  place_ = Place::file_in_memory;
  const std::string_view content_type = fields.get(FieldName::content_type).value_or("");
  const std::size_t size = kFormPartCost + part_.name.size() + part_.filename.size() + content_type.size();
  if (const Result<void> kept = keep(size); !kept) return kept;
  FormFile& file = form_.files.emplace_back();
  file.name = part_.name;
  file.filename = part_.filename;
  file.content_type = content_type;
  return {};
}

Result<void> FormReader::take_data(Bytes data) {
  if (place_ == Place::value) {
    if (const Result<void> kept = keep(data.size()); !kept) return kept;
    form_.values.back().value += data;
    return {};
  }
  FormFile& file = form_.files.back();
  file.size += data.size();
  if (place_ == Place::file_in_memory && fits(data.size())) {
    memory_ += data.size();
    file.content += data;
    return {};
  }
  if (place_ == Place::file_in_memory) {
    if (sink_ == nullptr) return fail(Errc::multipart_too_large);
    if (const Result<void> opened = open_in_sink(file); !opened) return opened;
    place_ = Place::file_in_sink;
  }
  return sink_->write(data);
}

Result<void> FormReader::end_part() {
  if (std::exchange(place_, Place::nowhere) == Place::file_in_sink) return finish_in_sink(form_.files.back());
  return {};
}

// Counts what has no other place than memory; files make room for it.
Result<void> FormReader::keep(std::uint64_t more) {
  for (FormFile& file : form_.files) {
    if (fits(more) || sink_ == nullptr) break;
    if (file.content.empty()) continue;
    if (const Result<void> opened = open_in_sink(file); !opened) return opened;
    if (const Result<void> finished = finish_in_sink(file); !finished) return finished;
  }
  if (!fits(more)) return fail(Errc::multipart_too_large);
  memory_ += more;
  return {};
}

// With what of the file is in memory.
Result<void> FormReader::open_in_sink(FormFile& file) {
  if (const Result<void> opened = sink_->open(file); !opened) return opened;
  is_sink_open_ = true;
  const std::string content = std::exchange(file.content, {});
  memory_ -= content.size();
  return content.empty() ? Result<void>() : sink_->write(content);
}

Result<void> FormReader::finish_in_sink(FormFile& file) {
  Result<std::string> stored_as = sink_->finish();
  if (!stored_as) return fail(stored_as.error());
  is_sink_open_ = false;
  file.stored_as = std::move(*stored_as);
  file.is_stored = true;
  return {};
}

Result<void> FormReader::give_up(std::error_code error) {
  failure_ = error;
  drop_files();
  return fail(error);
}

void FormReader::drop_files() {
  if (std::exchange(is_sink_open_, false)) sink_->abort();
  if (sink_ != nullptr) form_.remove_files(*sink_);
  form_ = Form();
}

}  // namespace pipette::http
