// Artefacts: what a failed test leaves behind for whoever has to find out why.
//
//   Lab dies ──> Artefacts::current() ──> wanted? ──> add({"transcript.txt", …}), add({"network.pcapng", …}) …
//                        ^
//                        └── ArtefactScope, set by a framework's adapter for each test, or by the lab's explorer around
//                            the one run of a shrunk failure that it reports
//
// Where nobody has asked for artefacts there is no place for them, and a lab that dies asks one pointer. That pointer
// is the one thing in the lab that is not owned by a test: a Lab needs no macro and no argument to find it.
//
// Errors    a directory that cannot be written to is said on standard error, once a file; no test fails for it.
// Lifetime  scopes end in the reverse order of their beginning.   Threads  each thread has its own place.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipette::lab {

struct Artefact {
  std::string name;  // of a file, without a folder: "transcript.txt"
  std::string content;
};

class Artefacts {
 public:
  Artefacts() = default;
  Artefacts(const Artefacts&) = delete;
  Artefacts& operator=(const Artefacts&) = delete;
  virtual ~Artefacts() = default;

  // Whether the test that is running has failed; making artefacts is not for free.
  virtual bool is_wanted() const = 0;
  virtual void add(const Artefact& artefact) = 0;

  // Where a lab of this thread leaves them; null: nobody has asked.
  static Artefacts* current() { return place(); }

 private:
  friend class ArtefactScope;

  static Artefacts*& place() {
    thread_local Artefacts* current = nullptr;
    return current;
  }
};

// Makes `artefacts` the current ones; null: none.
class [[nodiscard]] ArtefactScope {
 public:
  explicit ArtefactScope(Artefacts* artefacts) : outer_(Artefacts::place()) { Artefacts::place() = artefacts; }
  ArtefactScope(const ArtefactScope&) = delete;
  ArtefactScope& operator=(const ArtefactScope&) = delete;
  ~ArtefactScope() { Artefacts::place() = outer_; }

 private:
  Artefacts* outer_;
};

// Files in a folder of their own. The second artefact of one name becomes "transcript-2.txt". The folder is made with
// its first file.
class ArtefactFolder : public Artefacts {
 public:
  explicit ArtefactFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool is_wanted() const override { return true; }
  void add(const Artefact& artefact) override;

  // What was written, in order.
  const std::vector<std::filesystem::path>& files() const { return files_; }

 private:
  std::string free_name(std::string_view name) const;

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> files_;
};

// The folder for the artefacts of a test, below the one that the environment variable PIPETTE_ARTEFACTS names; empty
// when it names none. What a file name may not have becomes "_".
std::filesystem::path artefact_folder(std::string_view test);

}  // namespace pipette::lab
