/* Every key of burstd.yaml, once. From this table come the struct, the parser, its limits, the printed defaults, the digest
 * and what a reload may change. A new key is a new line here and nowhere else.
 *
 *   TEXT(member, path, rule, default, flags, help)                       char member[CONFIG_TEXT]
 *   INT (member, path, unit, least, most, default, flags, help)          int64_t member
 *   REAL(member, path, unit, least, most, default, flags, help)          double member
 *   WORD(member, path, words, value of the first, default, flags, help)  int member
 *
 * Flags: CONFIG_CORE    the value can change what a verdict says: it is part of the digest in verdict_id
 *        CONFIG_LIVE    SIGHUP may change it; every other key needs a restart
 *        CONFIG_NEEDED  no default inside a list item: must be written
 * Rows of one section stand together; paths are "section.key", or "inputs[].key" for the items of the list. */
#ifndef BURST_CONFIG_KEYS_H
#define BURST_CONFIG_KEYS_H

/* clang-format off */
#define CONFIG_KEYS(TEXT, INT, REAL, WORD) \
    TEXT(site_name, "site.name", CONFIG_NAME, "burstd", 0, \
         "name of this site, as consoles and status show it") \
    TEXT(site_signing_key, "site.signing_key", CONFIG_PATH_OR_NONE, "", 0, \
         "Ed25519 secret key file (mode 0600, hex) that seals verdicts; \"\" sends seals without signature") \
    TEXT(output_live, "output.live", CONFIG_ENDPOINT, "tcp://127.0.0.1:5556", 0, \
         "PUB socket of the verdict stream") \
    TEXT(output_history, "output.history", CONFIG_ENDPOINT, "tcp://127.0.0.1:5557", 0, \
         "ROUTER socket that replays the verdict stream") \
    INT(output_retain_days, "output.retain_days", "days", 1, 3650, "7", CONFIG_LIVE, \
         "how long the history keeps messages; verdicts in the database stay") \
    TEXT(command_socket, "command.socket", CONFIG_ENDPOINT_OR_NONE, "", 0, \
         "socket for burstctl; \"\" takes ipc:///run/burstd/command.sock, else $XDG_RUNTIME_DIR/burstd/command.sock") \
    TEXT(store_database, "store.database", CONFIG_PATH, "/var/lib/burstd/burst.db", 0, \
         "SQLite file: every verdict and the log behind the verdict stream") \
    TEXT(quarantine_folder, "quarantine.folder", CONFIG_PATH_OR_NONE, "", 0, \
         "folder of refused inputs; \"\" takes the folder quarantine beside the database") \
    INT(quarantine_mib, "quarantine.mib", "MiB", 0, 65536, "256", 0, \
        "room for refused inputs; the oldest make room for new ones; 0 keeps none") \
    INT(quarantine_files, "quarantine.files", "inputs", 0, 100000, "1000", 0, \
        "at most so many refused inputs are kept; 0 keeps none") \
    TEXT(models_light_curve, "models.light_curve", CONFIG_PATH_OR_NONE, "models/gecam-resnet-mscfm/1", 0, \
         "folder of the light-curve network; \"\" leaves event data unscored") \
    TEXT(models_image, "models.image", CONFIG_PATH_OR_NONE, "models/eclairs-cnn/1", 0, \
         "folder of the sub-image network; \"\" leaves sub-images unscored") \
    WORD(models_backend, "models.backend", "auto cuda cpu plain", CONFIG_BACKEND_AUTO, "auto", 0, \
         "what runs the networks: the GPU where there is one (cuda complains where not), cpu (oneDNN), plain C") \
    TEXT(gpu_socket, "gpu.socket", CONFIG_PATH_OR_NONE, "", 0, \
         "socket of burst-cuda; \"\" takes /run/burst-cuda/burst-cuda.sock, else one of our own for gpu.program") \
    TEXT(gpu_program, "gpu.program", CONFIG_PATH_OR_NONE, "", 0, \
         "started where no worker listens and no service manager runs burstd; \"\": burst-cuda beside burstd; none") \
    TEXT(gpu_cache, "gpu.cache", CONFIG_PATH_OR_NONE, "", 0, \
         "its choices of engines; \"\": burst-cuda in $CACHE_DIRECTORY, $STATE_DIRECTORY, $XDG_CACHE_HOME or ~/.cache") \
    WORD(gpu_precision, "gpu.precision", "fp32 tf32 bf16", CONFIG_PRECISION_FP32, "fp32", 0, \
         "what convolutions on the GPU are computed in; the coarser, the faster") \
    INT(gpu_deadline_ms, "gpu.deadline_ms", "ms", 1, 600000, "50", 0, \
        "a live window or sub-image not answered by then is computed by cpu") \
    INT(gpu_background_ms, "gpu.background_ms", "ms", 1, 600000, "1000", 0, \
        "the same for archival windows, explanations, golden answers; from 8000 on the watchdog sees burstd hang") \
    REAL(gpu_canary_s, "gpu.canary_s", "s", 0, 3600, "5", 0, \
         "a question with a known answer goes to the GPU this often, keeps it awake, tells its latency; 0: never") \
    WORD(gpu_cross_check, "gpu.cross_check", "off triggers all", CONFIG_CROSS_OFF, "triggers", 0, \
         "GPU answers computed by cpu, too, before they are told: none, those on sub-images (4 ms), all") \
    WORD(gpu_spin, "gpu.spin", "off on", CONFIG_SPIN_OFF, "off", 0, \
         "the GPU worker waits for alerts without sleeping: microseconds less, one processor taken up for good") \
    INT(gpu_core, "gpu.core", "", -1, 1023, "-1", 0, \
        "with gpu.spin: the processor it waits on; -1: any") \
    TEXT(image_catalogue, "image.catalogue", CONFIG_PATH, "config/catalogues/known-sources.csv", 0, \
         "known sources marked in the mask of a sub-image") \
    TEXT(instruments_folder, "instruments.folder", CONFIG_PATH_OR_NONE, "config/instruments", 0, \
         "folder of files (*.yaml) that describe further instruments; \"\" leaves burstd with those it is built with") \
    REAL(lightcurve_lateness_s, "lightcurve.lateness_s", "s", 0, 60, "2", CONFIG_CORE, \
         "a 64 ms bin is closed this long after the instrument's latest good time") \
    REAL(lightcurve_silence_s, "lightcurve.silence_s", "s", 1, 3600, "10", CONFIG_CORE, \
         "an input silent for this long has all its bins closed") \
    REAL(lightcurve_history_patience_s, "lightcurve.history_patience_s", "s", 0.1, 600, "2", CONFIG_CORE, \
         "a gateway that reads history waits this long for a silent one that has history of the same topic to read") \
    TEXT(lightcurve_trace, "lightcurve.trace", CONFIG_PATH_OR_NONE, "", 0, \
         "file that gets a line for every window and detector with the digest of its counts; \"\" keeps none") \
    REAL(detect_open, "detect.open", "", 0.001, 0.999, "0.5", CONFIG_CORE, \
         "a detector above this calibrated probability votes for opening an event") \
    REAL(detect_low, "detect.low", "", 0.001, 0.999, "0.2", CONFIG_CORE, \
         "called false at or under this calibrated probability") \
    REAL(detect_high, "detect.high", "", 0.001, 0.999, "0.8", CONFIG_CORE, \
         "called true at or over this calibrated probability; between the two it is unclear") \
    REAL(detect_quiet_s, "detect.quiet_s", "s", 1, 3600, "20", CONFIG_CORE, \
         "an event closes after this long without a window above detect.open") \
    REAL(detect_merge_s, "detect.merge_s", "s", 0, 3600, "60", CONFIG_CORE, \
         "windows less than this apart belong to one event") \
    REAL(detect_min_revision_gap_s, "detect.min_revision_gap_s", "s", 0, 600, "5", CONFIG_CORE, \
         "revisions of one event are at least this far apart, in data time") \
    INT(limits_work_queue, "limits.work_queue", "items", 4, 1024, "32", 0, \
         "windows and sub-images waiting for the networks (2 MB each); when full, reading waits") \
    INT(limits_publish_queue, "limits.publish_queue", "items", 4, 1024, "64", 0, \
         "verdicts waiting for the database; when full, the networks wait") \
    INT(limits_packet_arena_mib, "limits.packet_arena_mib", "MiB", 4, 1024, "64", 0, \
         "memory for one message unpacked") \
    WORD(log_level, "log.level", "error warning notice info debug", LOG_LEVEL_ERROR, "info", CONFIG_LIVE, \
         "lines above this level are not written")

/* One item of `inputs`. */
#define CONFIG_INPUT_KEYS(TEXT) \
    TEXT(name, "inputs[].name", CONFIG_NAME_OR_NONE, "", 0, \
         "short name of this gateway in logs and status; gateway1, gateway2 ... by default") \
    TEXT(live, "inputs[].live", CONFIG_ENDPOINT, "tcp://127.0.0.1:5550", CONFIG_NEEDED, \
         "the gateway's PUB socket") \
    TEXT(history, "inputs[].history", CONFIG_ENDPOINT, "tcp://127.0.0.1:5551", CONFIG_NEEDED, \
         "the gateway's ROUTER socket: gaps are repaired from it")
/* clang-format on */
#endif
