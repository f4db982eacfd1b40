class Admin::ReportsController < ActionController::Base
  def daily; end
end
