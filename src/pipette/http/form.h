// A submitted form, collected: values by name, and files with what was said of them.
//
//   FormReader reader(boundary, limits, &sink);
//   while (…) reader.take(octets);                       // the body, in any pieces
//   Result<Form> form = reader.finish();
//   form->value("title"), form->file("photo")
//
// What does not fit in max_memory_bytes goes to a FileSink, one file at a time; fields stay in memory and must fit.
// http/ does no I/O: what a sink does with the octets is its own business, and its calls return when they are done.
//
//   open(file)  write(octets) …  finish() --> where it is         abort() in place of finish()         remove(where)
//
// Until finish() has given the form away, every file belongs to the reader: when the body is refused, a call of the
// sink fails or the reader dies, the open one is aborted and the others are removed. Afterwards they are the
// application's, which may give them back with remove_files().
//
// Spec      RFC 7578 §4-§5. A Content-Transfer-Encoding that changes the octets is refused (§4.7 deprecates it).
// Errors    those of MultipartReader and parse_form_part(); Errc::multipart_too_large: too much for the memory, and no
//           sink to take it; and whatever the sink says. After one, each call repeats it.
// Units     memory is counted as the octets that are kept, and kFormPartCost for each part.
// Lifetime  the sink outlives the reader.   Threads  one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/base/bytes.h"
#include "pipette/base/result.h"
#include "pipette/http/multipart.h"
#include "pipette/http/multipart_reader.h"

namespace pipette::http {

struct FormValue {
  std::string name;
  std::string value;
};

struct FormFile {
  std::string name;
  std::string filename;      // the sender's; data, never a path: see safe_file_name()
  std::string content_type;  // as sent; may be empty
  std::uint64_t size = 0;
  std::string content;    // empty when it is stored
  std::string stored_as;  // the sink's name for it
  bool is_stored = false;
};

inline constexpr std::size_t kFormPartCost = sizeof(FormFile);

class FileSink {
 public:
  virtual ~FileSink() = default;

  virtual Result<void> open(const FormFile& file) = 0;
  virtual Result<void> write(Bytes octets) = 0;
  // The name by which the application, and remove(), find the file.
  virtual Result<std::string> finish() = 0;
  // Drops the file that is open; open() has succeeded then, and write() or finish() may have failed.
  virtual void abort() = 0;
  // Drops a finished one.
  virtual void remove(std::string_view stored_as) = 0;
};

struct Form {
  std::vector<FormValue> values;  // in order, each name as often as it was sent
  std::vector<FormFile> files;

  // The first of that name.
  std::optional<std::string_view> value(std::string_view name) const;
  const FormFile* file(std::string_view name) const;

  // Calls f(value) for each of that name, in order.
  template <class F>
  void for_each_value(std::string_view name, F&& f) const {
    for (const FormValue& each : values) {
      if (each.name == name) f(std::string_view(each.value));
    }
  }

  void remove_files(FileSink& sink);
};

class FormReader {
 public:
  explicit FormReader(const Boundary& boundary, const MultipartLimits& limits = {}, FileSink* sink = nullptr)
      : limits_(limits), reader_(boundary, limits), sink_(sink) {}
  FormReader(const FormReader&) = delete;
  FormReader& operator=(const FormReader&) = delete;
  ~FormReader() { drop_files(); }

  // The next octets of the body.
  Result<void> take(Bytes octets);
  // The body has ended. Once.
  Result<Form> finish();

 private:
  enum class Place : std::uint8_t { nowhere, value, file_in_memory, file_in_sink };

  Result<void> take_events(Bytes octets);
  Result<void> begin_part();
  Result<void> take_data(Bytes data);
  Result<void> end_part();
  bool fits(std::uint64_t more) const { return more <= limits_.max_memory_bytes - memory_; }
  Result<void> keep(std::uint64_t more);
  Result<void> open_in_sink(FormFile& file);
  Result<void> finish_in_sink(FormFile& file);
  Result<void> give_up(std::error_code error);
  void drop_files();

  MultipartLimits limits_;
  MultipartReader reader_;
  FileSink* sink_;
  Form form_;
  FormPart part_;
  Place place_ = Place::nowhere;  // where the content of the part goes that has begun
  bool is_sink_open_ = false;
  std::uint64_t memory_ = 0;
  std::error_code failure_;
};

}  // namespace pipette::http
