import { assertNever } from '../protocol/assert-never.ts';
import { exitCode, type Streams, writeAnswer, writeFailure } from '../protocol/command-output.ts';
import { type Command, parseCommand, parseSince, usage } from './cli/arguments.ts';
import { type AgentConfig, dataDirOf, loadConfig } from './config.ts';

const streams: Streams = { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) };

/** The second signal is the operator's impatience: the default action ends the process at once. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

async function perform(command: Exclude<Command, { verb: 'doctor' }>): Promise<void> {
  const dataDir = dataDirOf(command.data);
  switch (command.verb) {
    case 'help':
      return streams.out(usage);
    case 'run': {
      const config = loadConfig(command.config);
      const { startAgent } = await import('./compose.ts');
      const agent = await startAgent(dataDir, config);
      await stopAsked();
      return agent.stop();
    }
    case 'enroll': {
      const config = loadConfig(command.config);
      const { enroll } = await import('./compose/enroll.ts');
      const enrolled = await enroll(dataDir, config, command.invitation);
      const line = `登録しました：${enrolled.gateway}（enrolled with ${enrolled.https}）`;
      return writeAnswer({ value: enrolled, lines: [line] }, command.isJson, streams);
    }
    case 'status': {
      const { readStatus } = await import('./compose/inspect.ts');
      const { statusAnswer } = await import('./cli/status-text.ts');
      return writeAnswer(statusAnswer(await readStatus(dataDir, modelIfKnown(command.config))), command.isJson, streams);
    }
    case 'why': {
      const { readWhy } = await import('./compose/inspect.ts');
      const { whyAnswer } = await import('./cli/why-text.ts');
      return writeAnswer(whyAnswer(await readWhy(dataDir, command.software)), command.isJson, streams);
    }
    case 'ask': {
      const { askAgent } = await import('./compose/ask.ts');
      const { askAnswer } = await import('./cli/ask-text.ts');
      return writeAnswer(askAnswer(await askAgent(dataDir, command.ask)), command.isJson, streams);
    }
    case 'log':
      return showLog(command, dataDir);
    default:
      return assertNever(command);
  }
}

/** A fault that was found is an answer, and yet no success. */
async function findFaults({ data, config, isJson }: Command): Promise<number> {
  const { examine } = await import('./compose/doctor.ts');
  const { doctorAnswer } = await import('./cli/doctor-text.ts');
  const rows = await examine(dataDirOf(data), { configFile: config });
  writeAnswer(doctorAnswer(rows), isJson, streams);
  return rows.every(({ ok }) => ok) ? exitCode.done : exitCode.failed;
}

async function showLog({ since, follow, software, level, isJson }: Extract<Command, { verb: 'log' }>, dataDir: string): Promise<void> {
  const { followEntries, readEntries } = await import('./compose/inspect.ts');
  const { entryLine, isWanted, selectEntries } = await import('./cli/log-text.ts');
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : parseSince(since, Date.now());
  const all = readEntries(dataDir);
  const entries = selectEntries(all, { sinceMs, software, level });
  // Followed as JSON, each entry is an object of its own: the one object would never end.
  if (!follow) return writeAnswer({ value: { entries }, lines: entries.map(entryLine) }, isJson, streams);
  const print = (more: readonly (typeof entries)[number][]) =>
    streams.out(more.map((entry) => `${isJson ? JSON.stringify(entry) : entryLine(entry)}\n`).join(''));
  print(entries);
  const stop = new AbortController();
  void stopAsked().then(() => stop.abort());
  await followEntries(
    dataDir,
    all.at(-1)?.seq ?? 0,
    (more) => print(more.filter((entry) => isWanted(entry, { software, level }))),
    stop.signal,
  );
}

/** A technician who asks for the status may not know where the settings are: they are not needed for it. */
function modelIfKnown(config: string | undefined): AgentConfig['model'] | null {
  try {
    return loadConfig(config).model;
  } catch (error) {
    if (config !== undefined) throw error;
    return null;
  }
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const command = parseCommand(argv);
    if (command.verb === 'doctor') return await findFaults(command);
    await perform(command);
    return exitCode.done;
  } catch (error) {
    return writeFailure(error, argv.includes('--json'), streams);
  }
}

process.exitCode = await main(process.argv.slice(2));
