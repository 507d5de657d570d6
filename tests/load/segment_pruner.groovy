// What the broker's own pruner takes to go past so many segments of 64 partitions: CPU of its thread, the least of 40 turns.
// Run by tests/load/segments.py; prints a line of JSON for each number of segments.
import java.lang.management.ManagementFactory
import org.apache.pinot.broker.routing.segmentpruner.SinglePartitionColumnSegmentPruner as Pruner
import org.apache.pinot.segment.spi.partition.PartitionFunctionFactory
import org.apache.pinot.sql.parsers.CalciteSqlCompiler

def bean = ManagementFactory.threadMXBean
def info = Pruner.declaredClasses.find { it.simpleName == 'PartitionInfo' }.declaredConstructors[0]
info.accessible = true
def known = Pruner.getDeclaredField('_partitionInfoMap')
known.accessible = true
def request = CalciteSqlCompiler.compileToBrokerRequest(
    "SELECT direction, COUNT(*), SUMPRECISION(amount) FROM t WHERE account_id = 'probe-6' " +
    "AND direction IN ('RECEIVED', 'SENT') AND event_time_ms >= 1 AND event_time_ms < 9 GROUP BY direction LIMIT 2")
for (count in args*.toInteger()) {
  def pruner = new Pruner('t_REALTIME', 'account_id', null)
  def names = new HashSet()
  for (number in 0..<count) {
    def partition = number % 64
    def name = "account_entries__${partition}__${number.intdiv(64)}__20261130T${number}Z".toString()
    names.add(name)
    def hash = PartitionFunctionFactory.getPartitionFunction('Murmur', 64, null)
    known.get(pruner).put(name, info.newInstance(hash, [partition] as Set))
  }
  def least = Long.MAX_VALUE
  for (turn in 0..<40) {
    def began = bean.currentThreadCpuTime
    for (statement in 0..<5) pruner.prune(request, names)
    least = Math.min(least, (bean.currentThreadCpuTime - began).intdiv(5))
  }
  println "{\"segments\": $count, \"pruner_us\": ${least.intdiv(1000)}}"
}
