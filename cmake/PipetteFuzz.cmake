# pipette_add_fuzz_test(NAME name SOURCES … [CORPUS dir] [DICT file] [MAX_LEN n] [LINK …]): a fuzz target, that is, sources
# with an LLVMFuzzerTestOneInput (PIPETTE_FUZZ_HANDLER in pipette/lab/fuzz.h writes it).
#
# Elsewhere than in a fuzzing build it becomes name_replay, which runs the files of the corpus, and the test
# fuzz_corpus.name: under any compiler, with whatever sanitizers there are.
#
# In a fuzzing build it becomes name_fuzz:
#
#   cmake -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_CXX_FLAGS="-fsanitize=fuzzer-no-link,address,undefined"
#   build/fuzz/name_fuzz -dict=http.dict -max_total_time=60 found corpus
#
# A fuzzing build is one with -fsanitize=fuzzer-no-link in its flags; or with PIPETTE_FUZZING=ON, which instruments the
# sources given here and nothing else; or with LIB_FUZZING_ENGINE, a variable or the environment's, which is then linked
# in place of libFuzzer. For services that fuzz around the clock,
#
#   cmake --install build/fuzz --component fuzz --prefix $OUT
#
# puts there what they look for: name_fuzz, name_fuzz.dict, name_fuzz.options and name_fuzz_seed_corpus.zip.
include_guard(GLOBAL)

function(_pipette_fuzzing_engine out)
  set(engine "${LIB_FUZZING_ENGINE}")
  if(NOT engine)
    set(engine "$ENV{LIB_FUZZING_ENGINE}")
  endif()
  string(FIND "${CMAKE_CXX_FLAGS}" "-fsanitize=fuzzer-no-link" flag)
  if(NOT engine AND (PIPETTE_FUZZING OR flag GREATER -1))
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      message(FATAL_ERROR "libFuzzer comes with clang: set CMAKE_CXX_COMPILER=clang++, or LIB_FUZZING_ENGINE")
    endif()
    set(engine -fsanitize=fuzzer)
  endif()
  separate_arguments(engine UNIX_COMMAND "${engine}")
  set(${out} "${engine}" PARENT_SCOPE)
endfunction()

# What stands beside a target where it is fuzzed around the clock.
function(_pipette_install_fuzz_target target)
  cmake_parse_arguments(ARG "" "CORPUS;DICT;MAX_LEN" "" ${ARGN})
  set(options "[libfuzzer]\n")
  if(ARG_MAX_LEN)
    string(APPEND options "max_len = ${ARG_MAX_LEN}\n")
  endif()
  if(ARG_DICT)
    string(APPEND options "dict = ${target}.dict\n")
    install(FILES "${ARG_DICT}" RENAME ${target}.dict DESTINATION . COMPONENT fuzz EXCLUDE_FROM_ALL)
  endif()
  file(CONFIGURE OUTPUT ${target}.options CONTENT "${options}")
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${target}.options DESTINATION . COMPONENT fuzz EXCLUDE_FROM_ALL)
  install(TARGETS ${target} RUNTIME DESTINATION . COMPONENT fuzz EXCLUDE_FROM_ALL)
  if(ARG_CORPUS)
    install(CODE "
      execute_process(COMMAND \"${CMAKE_COMMAND}\" -E tar cf \"\${CMAKE_INSTALL_PREFIX}/${target}_seed_corpus.zip\" --format=zip .
                      WORKING_DIRECTORY \"${ARG_CORPUS}\" COMMAND_ERROR_IS_FATAL ANY)"
            COMPONENT fuzz EXCLUDE_FROM_ALL)
  endif()
endfunction()

function(pipette_add_fuzz_test)
  cmake_parse_arguments(PARSE_ARGV 0 ARG "" "NAME;CORPUS;DICT;MAX_LEN" "SOURCES;LINK")
  if(NOT ARG_NAME OR NOT ARG_SOURCES OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "pipette_add_fuzz_test(NAME name SOURCES … [CORPUS dir] [DICT file] [MAX_LEN n] [LINK …]), "
                        "not with: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  foreach(path IN ITEMS CORPUS DICT)
    if(ARG_${path})
      cmake_path(ABSOLUTE_PATH ARG_${path} BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
      if(NOT EXISTS "${ARG_${path}}")
        message(FATAL_ERROR "pipette_add_fuzz_test(NAME ${ARG_NAME}): ${path} ${ARG_${path}} is not there")
      endif()
    endif()
  endforeach()

  _pipette_fuzzing_engine(engine)
  if(engine)
    set(target ${ARG_NAME}_fuzz)
    add_executable(${target} ${ARG_SOURCES})
    target_link_libraries(${target} PRIVATE pipette::lab ${ARG_LINK} ${engine})
    if(PIPETTE_FUZZING)
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
    _pipette_install_fuzz_target(${target} CORPUS "${ARG_CORPUS}" DICT "${ARG_DICT}" MAX_LEN "${ARG_MAX_LEN}")
  else()
    set(target ${ARG_NAME}_replay)
    add_executable(${target} ${ARG_SOURCES})
    target_link_libraries(${target} PRIVATE pipette::fuzz_main pipette::lab ${ARG_LINK})
    if(ARG_CORPUS)
      add_test(NAME fuzz_corpus.${ARG_NAME} COMMAND ${target} "${ARG_CORPUS}")
    endif()
  endif()
endfunction()
