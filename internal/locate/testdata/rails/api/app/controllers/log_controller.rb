class LogController < ActionController::Base
  def index; end
end
