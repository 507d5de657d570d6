// Builds a Pinot segment anew with one id replaced by another; Pinot's own classes read and write it.
//
// As Pinot's SegmentPurger does: name, times and creation time stay. Unlike it, rows whose sorted column changes move to
// where they now belong, since a segment that is not sorted is searched row by row. Instructions come as JSON on
// standard input, so that no id stands in a list of processes. Runs on the Groovy that Pinot brings with it.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import groovy.transform.CompileStatic
import java.nio.charset.StandardCharsets
import java.util.regex.Matcher
import java.util.regex.Pattern
import org.apache.pinot.segment.local.segment.creator.impl.SegmentIndexCreationDriverImpl
import org.apache.pinot.segment.local.segment.readers.PinotSegmentRecordReader
import org.apache.pinot.segment.spi.creator.SegmentGeneratorConfig
import org.apache.pinot.segment.spi.index.metadata.SegmentMetadataImpl
import org.apache.pinot.spi.config.table.TableConfig
import org.apache.pinot.spi.data.readers.GenericRow
import org.apache.pinot.spi.data.readers.RecordReader
import org.apache.pinot.spi.data.readers.RecordReaderConfig
import org.apache.pinot.spi.utils.JsonUtils

/** What is replaced in which columns: whole values, and words within texts; what is computed of a value goes with it. */
@CompileStatic
class Replacing {
  final String id
  final String pseudonym
  final List<String> values
  final List<String> texts
  final Map<String, List<String>> computed
  final Pattern word

  Replacing(Map<String, Object> asked) {
    id = (String) asked.id
    pseudonym = (String) asked.pseudonym
    values = (List<String>) asked.values
    texts = (List<String>) asked.texts
    computed = (Map<String, List<String>>) asked.computed
    word = Pattern.compile((String) asked.word)
  }

  boolean touches(PinotSegmentRecordReader rows, int doc) {
    values.any { String column -> id == rows.getValue(doc, column) } ||
        texts.any { String column -> word.matcher((String) rows.getValue(doc, column)).find() }
  }

  void apply(GenericRow row) {
    for (String column : values) {
      if (id == row.getValue(column)) {
        row.putValue(column, pseudonym)
        // What has no value is computed from the row, as when it was read from Kafka.
        for (String other : computed.getOrDefault(column, [])) {
          row.removeValue(other)
        }
      }
    }
    for (String column : texts) {
      String text = (String) row.getValue(column)
      row.putValue(column, word.matcher(text).replaceAll(Matcher.quoteReplacement(pseudonym)))
    }
  }
}

/** The rows of a segment in a given order, some of them replaced. */
@CompileStatic
class ReplacingReader implements RecordReader {
  private final PinotSegmentRecordReader rows
  private final int[] order
  private final BitSet touched
  private final Replacing replacing
  private int at = 0

  ReplacingReader(PinotSegmentRecordReader rows, int[] order, BitSet touched, Replacing replacing) {
    this.rows = rows
    this.order = order
    this.touched = touched
    this.replacing = replacing
  }

  void init(File file, Set<String> fields, RecordReaderConfig config) {}

  boolean hasNext() { at < order.length }

  GenericRow next() { next(new GenericRow()) }

  GenericRow next(GenericRow row) {
    int doc = order[at++]
    rows.getRecord(row, doc)
    if (touched.get(doc)) {
      replacing.apply(row)
    }
    row
  }

  void rewind() { at = 0 }

  void close() { rows.close() }
}

@CompileStatic
class Rewriting {
  static BitSet touched(PinotSegmentRecordReader rows, int docs, Replacing replacing) {
    BitSet found = new BitSet(docs)
    for (int doc = 0; doc < docs; doc++) {
      if (replacing.touches(rows, doc)) {
        found.set(doc)
      }
    }
    found
  }

  /** As they stand; rows whose value of the sorted column changes before the first that sorts behind the new value. */
  static int[] order(PinotSegmentRecordReader rows, int docs, String sorted, Replacing replacing) {
    int[] order = new int[docs]
    int at = 0
    List<Integer> moved = []
    int before = -1
    for (int doc = 0; doc < docs; doc++) {
      String value = sorted == null ? null : (String) rows.getValue(doc, sorted)
      if (value != null && value == replacing.id) {
        moved << doc
      } else {
        if (before < 0 && value != null && value.compareTo(replacing.pseudonym) > 0) {
          before = at
        }
        order[at++] = doc
      }
    }
    int place = before < 0 ? at : before
    System.arraycopy(order, place, order, place + moved.size(), at - place)
    for (int n = 0; n < moved.size(); n++) {
      order[place + n] = moved.get(n)
    }
    order
  }

  static void tell(PinotSegmentRecordReader rows, BitSet touched, List<String> columns, File file) {
    file.withWriter(StandardCharsets.UTF_8.name()) { Writer out ->
      for (int doc = touched.nextSetBit(0); doc >= 0; doc = touched.nextSetBit(doc + 1)) {
        int row = doc
        out.write(JsonOutput.toJson(columns.collect { String column -> plain(rows.getValue(row, column)) }) + '\n')
      }
    }
  }

  static String plain(Object value) {
    value instanceof BigDecimal ? ((BigDecimal) value).toPlainString() : value.toString()
  }
}

void rewrite(Map<String, Object> asked) {
  def folder = new File(asked.segment)
  def metadata = new SegmentMetadataImpl(folder)
  def table = JsonUtils.stringToObject(JsonOutput.toJson(asked.table), TableConfig)
  def replacing = new Replacing(asked)
  def sorted = metadata.getColumnMetadataFor(asked.sorted)?.isSorted() ? asked.sorted : null

  def rows = new PinotSegmentRecordReader()
  rows.init(folder, null, null, false)
  int docs = metadata.totalDocs
  def touched = Rewriting.touched(rows, docs, replacing)
  Rewriting.tell(rows, touched, asked.told, new File(asked.rows))

  def config = new SegmentGeneratorConfig(table, metadata.schema)
  config.outDir = asked.into
  config.tableName = metadata.tableName
  config.segmentName = metadata.name
  config.creationTime = String.valueOf(metadata.indexCreationTime)
  config.skipTimeValueCheck = true
  if (metadata.timeInterval != null) {
    config.timeColumnName = table.validationConfig.timeColumnName
    config.startTime = Long.toString(metadata.startTime)
    config.endTime = Long.toString(metadata.endTime)
    config.segmentTimeUnit = metadata.timeUnit
  }
  def driver = new SegmentIndexCreationDriverImpl()
  driver.init(config, new ReplacingReader(rows, Rewriting.order(rows, docs, sorted, replacing), touched, replacing))
  driver.build()
  int written = new SegmentMetadataImpl(new File(asked.into, metadata.name)).totalDocs
  println JsonOutput.toJson([rewritten: metadata.name, docs: written, changed: touched.cardinality()])
}

// One line of instructions a segment; each is answered by one line that begins with {"rewritten".
new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).eachLine { String line ->
  rewrite(new JsonSlurper().parseText(line) as Map<String, Object>)
  System.out.flush()
}
