// Golden files: what happened in a world, kept as a text that is read once and compared ever after.
//
//   compare_with_golden(world.log(), "tests/golden/upload.txt", Masks().field("Date"))  -->  "", or how it differs
//
//   EXPECT_THAT(world.log(), MatchesGolden("tests/golden/upload.txt", …));      the same in GoogleTest (matchers.h)
//
//   PIPETTE_UPDATE_GOLDEN=1 build/tests     writes the files instead; then read the change before you commit it
//
// The text is that of text_with_octets() (story.h): a line an event, and under it all octets that were sent. Masks say
// what of it does not matter; what they hide stands there as their pattern. They are applied to both sides, so a new
// mask needs no new file.
//
// Errors    a file that is missing, cannot be read or written, or differs, is a text that says what to do; no text: all
//           is well. Masks throw std::invalid_argument for a pattern that would hide everything.
// Lifetime  reads its arguments during the call only.   Threads  any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/inmem/event_log.h"

namespace pipette::lab {

// Rules that hide what may differ.
class Masks {
 public:
  // The value of that field, in any case of its name: "Date: *". A line that two events share is not recognised.
  Masks& field(std::string_view name);
  // Where the pattern fits: "10.0.0.1:#". In it # stands for digits, and * for a word, of anything but white space,
  // controls and ",;\"\\<>"; each for one at least. The rest stands for itself.
  Masks& pattern(std::string_view pattern);
  // The same, and hides what * stood for wherever else it stands: "boundary=*". Words of less than four octets stay.
  Masks& everywhere(std::string_view pattern);

  std::string apply(std::string_view text) const;

 private:
  enum class Kind : std::uint8_t { field, pattern, everywhere };
  struct Rule {
    Kind kind;
    std::string text;
  };

  Masks& add(Kind kind, std::string_view text);

  std::vector<Rule> rules_;
};

enum class GoldenMode : std::uint8_t { compare, update };
// As the environment wants it: update when PIPETTE_UPDATE_GOLDEN is 1.
GoldenMode golden_mode();

std::string compare_with_golden(const inmem::EventLog& log, const std::string& path, const Masks& masks = {},
                                GoldenMode mode = golden_mode());
// The same for any text.
std::string compare_text_with_golden(std::string_view text, const std::string& path, const Masks& masks = {},
                                     GoldenMode mode = golden_mode());

}  // namespace pipette::lab
