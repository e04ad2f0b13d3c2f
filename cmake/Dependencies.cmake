# Everything burstd links, by its Debian 12 package (deploy/install-deps installs them).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(burst_package NAME MODULE)
  pkg_check_modules(${NAME} REQUIRED IMPORTED_TARGET GLOBAL ${MODULE})
  add_library(${NAME} ALIAS PkgConfig::${NAME})
endfunction()

burst_package(PkgSodium libsodium)
burst_package(PkgErfa erfa)
burst_package(PkgYaml yaml-0.1)
burst_package(PkgZmq libzmq)
burst_package(PkgCfitsio cfitsio)
burst_package(PkgProtobufC libprotobuf-c)
burst_package(PkgJansson jansson)
burst_package(PkgWcs wcslib)
burst_package(PkgSqlite sqlite3)
burst_package(PkgSystemd libsystemd)
burst_package(PkgXml2 libxml-2.0)
burst_package(PkgFftw fftw3)
burst_package(PkgFftwf fftw3f)

find_program(PROTOC_C protoc-c REQUIRED)
find_file(ONNX_PROTO onnx.proto PATHS /usr/include/onnx REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(dnnl INTERFACE)
target_link_libraries(dnnl INTERFACE ${DNNL_LIBRARY} gomp) # gomp: lib/net/backend_cpu.c sets oneDNN's thread count through it
find_program(SCDOC scdoc)
