# What `cmake --install` puts in place: the program, the library, the headers, the model, LiteRT's library, and what
# find_package(spin) and pkg-config read. The whole may be moved: nothing in it names a folder of the build.
include(CMakePackageConfigHelpers)

option(SPIN_INSTALL_LITERT "Install libLiteRt.so beside libspin; else it is looked for where it was at the build" ON)

get_filename_component(SPIN_LITERT_NAME "${LITERT_LIBRARY}" NAME)
file(RELATIVE_PATH SPIN_LIBRARIES_FROM_PROGRAM "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
if(SPIN_INSTALL_LITERT)
  get_filename_component(SPIN_LITERT_FILE "${LITERT_LIBRARY}" REALPATH)
  install(FILES "${SPIN_LITERT_FILE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" RENAME "${SPIN_LITERT_NAME}")
  set(SPIN_LITERT_FLAGS "-L\${libdir} -l:${SPIN_LITERT_NAME}")
else()
  set_target_properties(spin spin_read PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  set(SPIN_LITERT_FLAGS "${LITERT_LIBRARY}")
endif()
set_target_properties(spin PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(spin_read PROPERTIES INSTALL_RPATH "$ORIGIN/${SPIN_LIBRARIES_FROM_PROGRAM}")

install(TARGETS spin EXPORT spinTargets)
install(TARGETS spin_read)
install(DIRECTORY include/spin TYPE INCLUDE)
# A build for another machine may name a model that only lies there.
install(FILES "${SPIN_DEFAULT_MODEL}" DESTINATION "${CMAKE_INSTALL_DATADIR}/spin" RENAME spin.tflite OPTIONAL)

set(SPIN_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/spin")
set(SPIN_MODEL "${CMAKE_INSTALL_DATADIR}/spin/spin.tflite")
set(SPIN_IS_SHARED "${BUILD_SHARED_LIBS}")
if(SPIN_INSTALL_LITERT)
  set(SPIN_LITERT_INSTALLED "${CMAKE_INSTALL_LIBDIR}/${SPIN_LITERT_NAME}")
else()
  set(SPIN_LITERT_INSTALLED "${LITERT_LIBRARY}")
endif()
install(EXPORT spinTargets NAMESPACE spin:: DESTINATION "${SPIN_PACKAGE_DIR}")
configure_package_config_file(
  "${CMAKE_CURRENT_SOURCE_DIR}/cmake/spinConfig.cmake.in" "${CMAKE_CURRENT_BINARY_DIR}/spinConfig.cmake"
  INSTALL_DESTINATION "${SPIN_PACKAGE_DIR}" PATH_VARS SPIN_LITERT_INSTALLED SPIN_MODEL)
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/spinConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/spinConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/spinConfigVersion.cmake"
        DESTINATION "${SPIN_PACKAGE_DIR}")

# pkg-config: a static library brings what it needs; a shared one has it.
set(SPIN_NEEDED_FLAGS "${SPIN_LITERT_FLAGS} -ljpeg -lpng -lz -lpthread -lstdc++")
if(BUILD_SHARED_LIBS)
  set(SPIN_PUBLIC_FLAGS "-L\${libdir} -lspin")
  set(SPIN_PRIVATE_FLAGS "${SPIN_NEEDED_FLAGS}")
else()
  set(SPIN_PUBLIC_FLAGS "-L\${libdir} -lspin ${SPIN_NEEDED_FLAGS}")
  set(SPIN_PRIVATE_FLAGS "")
endif()
file(RELATIVE_PATH SPIN_PREFIX_FROM_PC "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
configure_file("${CMAKE_CURRENT_SOURCE_DIR}/cmake/spin.pc.in" "${CMAKE_CURRENT_BINARY_DIR}/spin.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/spin.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
