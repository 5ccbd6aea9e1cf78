// A FileSink that keeps files in memory: for tests, and for programs without a disk.
//
//   MemoryFiles files;
//   FormReader reader(boundary, limits, &files);  …
//   files.find(form->file("photo")->stored_as)    --> the octets
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/http/form.h"

namespace pipette::http {

class MemoryFiles final : public FileSink {
 public:
  Result<void> open(const FormFile&) override {
    open_.clear();
    return {};
  }
  Result<void> write(Bytes octets) override {
    open_ += octets;
    return {};
  }
  Result<std::string> finish() override {
    std::string name = std::to_string(++last_);
    files_.emplace(name, std::exchange(open_, {}));
    return name;
  }
  void abort() override { open_.clear(); }
  void remove(std::string_view stored_as) override {
    if (const auto found = files_.find(stored_as); found != files_.end()) files_.erase(found);
  }

  // nullptr: there is none of that name.
  const std::string* find(std::string_view stored_as) const {
    const auto found = files_.find(stored_as);
    return found == files_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return files_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> files_;
  std::string open_;
  unsigned last_ = 0;
};

}  // namespace pipette::http
